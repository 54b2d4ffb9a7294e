// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
package import Identity

/// A principal to which role assignments give a login role on this machine. A group's members are not known here: the
/// machine's identity may not read the directory.
package struct RoleHolder: Hashable, Sendable {
    /// An object id.
    package let principal: GUID
    /// As Azure names it: `User`, `Group`, `ServicePrincipal`, `ForeignGroup`, `Device`; empty if it names none.
    package let kind: String
    package let role: Role
    /// Where the roles are assigned, each once.
    package let scopes: [String]
}

/// All holders of a login role, from the role assignments.
package struct RoleHolders: Hashable, Sendable {
    package let holders: [RoleHolder]
    /// Assignments of a login role with a condition: they do not count here.
    package let conditional: Int
    /// Deny assignments at or above the machine: a principal that one of them names has less than is listed.
    package let denials: Int
}

extension RoleAssignmentAccessChecker {
    /// Every principal with a login role at or above the machine, in the order of Azure's list. One attempt.
    package func holders(
        of machine: Machine,
        correlation: CorrelationID,
        deadline: BootTime
    ) async throws(EndpointFault) -> RoleHolders {
        guard let nobody = ObjectID("00000000-0000-0000-0000-000000000000") else { preconditionFailure("no GUID") }
        let question = AccessQuestion(objectID: nobody, machine: machine, correlation: correlation, deadline: deadline)
        let call = try call(question, attemptTime: .seconds(8))
        let filter = "atScope()"
        let held = try await list("roleAssignments", call, filter: filter) { body throws(MessageError) in
            try RoleAssignment.page(parsing: body)
        }
        let denials = try await list("denyAssignments", call, filter: filter) { body throws(MessageError) in
            try DenyAssignment.page(parsing: body)
        }
        let roles = Set(held.map(\.role)).sorted()
        guard roles.count <= Limit.roles else { throw malformed("more than \(Limit.roles) roles") }
        let actions = LoginActions(for: machine.kind)
        var given: [GUID: Set<String>] = [:]
        for role in roles {
            let definition = try await definition(role, call)
            given[role] = Set([actions.user, actions.administrator].filter(definition.gives))
        }
        return RoleHolders(
            holders: RoleHolders.holders(held.filter { $0.reaches(machine.resource) }, given, actions),
            conditional: held.count { $0.isConditional && given[$0.role]?.isEmpty == false },
            denials: denials.count
        )
    }
}

extension RoleHolders {
    /// The administrator action without the login action gives no role.
    fileprivate static func holders(
        _ held: [RoleAssignment],
        _ given: [GUID: Set<String>],
        _ actions: LoginActions
    ) -> [RoleHolder] {
        var order: [GUID] = []
        var rights: [GUID: (kind: String, actions: Set<String>, scopes: [String])] = [:]
        for assignment in held {
            guard let principal = assignment.principal, let given = given[assignment.role], !given.isEmpty else {
                continue
            }
            if rights[principal] == nil { order.append(principal) }
            var right = rights[principal] ?? (assignment.principalType, [], [])
            right.actions.formUnion(given)
            if !right.scopes.contains(assignment.scope) { right.scopes.append(assignment.scope) }
            rights[principal] = right
        }
        return order.compactMap { principal in
            guard let right = rights[principal], right.actions.contains(actions.user) else { return nil }
            let role: Role = right.actions.contains(actions.administrator) ? .administrator : .user
            return RoleHolder(principal: principal, kind: right.kind, role: role, scopes: right.scopes)
        }
    }
}
