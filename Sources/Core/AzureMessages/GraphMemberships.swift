// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// The question of *checkMemberGroups*: of which of these groups a user is a member, nested ones counted (azure.md,
/// "Microsoft Graph").
package struct MembershipQuestion: Hashable, Sendable {
    /// Ids in one request at most.
    package static let maximumGroups = 20

    package let objectID: ObjectID
    /// Each once, from one to `maximumGroups`.
    package let groups: [ObjectID]

    /// Nil for no group, too many, or one that stands twice.
    package init?(objectID: ObjectID, groups: [ObjectID]) {
        guard (1...MembershipQuestion.maximumGroups).contains(groups.count), Set(groups).count == groups.count else {
            return nil
        }
        self.objectID = objectID
        self.groups = groups
    }

    /// What follows the host: one path serves users and service principals.
    package var path: String { "/v1.0/directoryObjects/\(objectID)/checkMemberGroups" }

    package var body: [UInt8] {
        JSON.object(["groupIds": .array(groups.map { .string($0.description) })]).bytes
    }

    /// Those of the question's groups that the answer `{"value":["…"]}` names. An id that was not asked about, one that
    /// stands twice, or anything that is no id throws: such an answer is to another question.
    package func memberships(parsing bytes: [UInt8]) throws(MessageError) -> Set<ObjectID> {
        guard let elements = try JSON(message: bytes)["value"]?.elements else { throw .missing("value") }
        guard elements.count <= groups.count else { throw MessageError("more groups than were asked about") }
        var found: Set<ObjectID> = []
        for element in elements {
            guard let group = element.text.flatMap({ ObjectID($0) }) else { throw MessageError("a group is no GUID") }
            guard groups.contains(group) else { throw MessageError("a group that was not asked about") }
            guard found.insert(group).inserted else { throw MessageError("a group stands twice") }
        }
        return found
    }
}
