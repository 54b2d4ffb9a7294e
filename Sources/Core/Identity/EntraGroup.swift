// SPDX-License-Identifier: Apache-2.0

/// A line of `[Groups]`: the members of an Entra group have this Unix group.
package struct EntraGroup: Hashable, Sendable {
    /// As in group(5); `EntraGroup.flaw` says which names there are.
    package let name: String
    /// The group's object id in Entra.
    package let objectID: ObjectID

    package init(name: String, objectID: ObjectID) {
        self.name = name
        self.objectID = objectID
    }

    /// Lines at most: twenty ids are one question.
    package static let limit = 50

    /// Why no Entra group may have that name, in words that follow it; nil where one may. Whatever the group is called
    /// in Entra does not count: a name without an underscore may be a group of the machine's own, and some of those are
    /// root (P7).
    package static func flaw(of name: String) -> String? {
        if let power = RootGroups.power(of: name) { return "is never an Entra group: \(power)" }
        guard GroupName.isAcceptable(name) else {
            return "must be a lower-case letter, then letters, digits, _ and -, at most 32, with an underscore"
        }
        return nil
    }
}
