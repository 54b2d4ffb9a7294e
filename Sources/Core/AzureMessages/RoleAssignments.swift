// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// Azure's pattern for data actions: `*` stands for any characters, letter case does not matter.
package struct ActionPattern: Hashable, Sendable {
    private let parts: [Substring]

    package init(_ text: String) {
        parts = text.lowercased().split(separator: "*", omittingEmptySubsequences: false)
    }

    /// True where it covers the action.
    package func covers(_ action: String) -> Bool {
        var rest = action.lowercased()[...]
        guard let first = parts.first, rest.hasPrefix(first) else { return false }
        guard parts.count > 1, let last = parts.last else { return rest == first }
        rest = rest.dropFirst(first.count)
        // Match each part as early as possible: that leaves the most text for the last one.
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.count >= last.count && rest.hasSuffix(last)
    }
}

/// The data actions of a role or a deny assignment: those that `dataActions` cover, without `notDataActions`.
package struct DataPermission: Hashable, Sendable {
    private let given: [ActionPattern]
    private let excepted: [ActionPattern]

    /// The most patterns that are read.
    private static let maximumPatterns = 2048

    init(_ permission: JSON) throws(MessageError) {
        given = try DataPermission.patterns(permission, "dataActions")
        excepted = try DataPermission.patterns(permission, "notDataActions")
    }

    package func covers(_ action: String) -> Bool {
        given.contains { $0.covers(action) } && !excepted.contains { $0.covers(action) }
    }

    private static func patterns(_ permission: JSON, _ name: String) throws(MessageError) -> [ActionPattern] {
        guard let member = permission[name] else { return [] }
        guard let elements = member.elements, elements.count <= maximumPatterns else { throw .missing(name) }
        let texts = elements.compactMap(\.text)
        // Skipping an exception that cannot be read would widen what is given.
        guard texts.count == elements.count else { throw .missing(name) }
        return texts.map { ActionPattern($0) }
    }

    static func list(_ properties: JSON) throws(MessageError) -> [DataPermission] {
        guard let elements = properties["permissions"]?.elements else { throw .missing("permissions") }
        var permissions: [DataPermission] = []
        for element in elements { permissions.append(try DataPermission(element)) }
        return permissions
    }
}

/// A page of a list of Resource Manager: `{"value":[...],"nextLink":"..."}`.
package struct ResourceManagerPage<Element: Sendable>: Sendable {
    package let elements: [Element]
    /// Where the list goes on; nil at its end.
    package let next: String?

    init(parsing bytes: [UInt8], _ read: (JSON) throws(MessageError) -> Element) throws(MessageError) {
        let document = try JSON(message: bytes)
        guard let value = document["value"]?.elements else { throw .missing("value") }
        var elements: [Element] = []
        for element in value { elements.append(try read(element)) }
        self.elements = elements
        next = document["nextLink"]?.text.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// A role that a principal holds at a scope (`roleAssignments`, 2022-04-01).
package struct RoleAssignment: Hashable, Sendable {
    /// The last component of `roleDefinitionId`.
    package let role: GUID
    package let scope: String
    /// Who holds it: a user, a group or a service principal; nil where the answer does not say.
    package let principal: GUID?
    /// `User`, `Group`, `ServicePrincipal` and others; empty where the answer does not say.
    package let principalType: String
    /// Its condition is not evaluated here: such an assignment counts for nothing (azure.md, "The role check").
    package let isConditional: Bool

    package static func page(parsing bytes: [UInt8]) throws(MessageError) -> ResourceManagerPage<RoleAssignment> {
        try ResourceManagerPage(parsing: bytes) { element throws(MessageError) in try RoleAssignment(element) }
    }

    private init(_ element: JSON) throws(MessageError) {
        guard let properties = element["properties"] else { throw .missing("properties") }
        let path = try properties.requiredText("roleDefinitionId")
        guard let role = path.split(separator: "/").last.flatMap({ GUID($0) }) else {
            throw MessageError("\"roleDefinitionId\" ends in no GUID")
        }
        self.role = role
        scope = try properties.requiredText("scope")
        principal = properties["principalId"]?.text.flatMap { GUID($0) }
        principalType = properties["principalType"]?.text ?? ""
        isConditional = properties["condition"].map { $0 != .string("") } ?? false
    }

    /// True where it reaches the resource.
    package func reaches(_ resource: ResourceID) -> Bool { !isConditional && scopeReaches(scope, resource) }
}

/// Actions that are denied whatever roles are held (`denyAssignments`, 2022-04-01). A condition is ignored: at worst
/// too much is denied.
package struct DenyAssignment: Hashable, Sendable {
    private let permissions: [DataPermission]
    private let scope: String
    private let isForScopeOnly: Bool
    private let exempt: Set<GUID>

    package static func page(parsing bytes: [UInt8]) throws(MessageError) -> ResourceManagerPage<DenyAssignment> {
        try ResourceManagerPage(parsing: bytes) { element throws(MessageError) in try DenyAssignment(element) }
    }

    private init(_ element: JSON) throws(MessageError) {
        guard let properties = element["properties"] else { throw .missing("properties") }
        permissions = try DataPermission.list(properties)
        scope = properties["scope"]?.text ?? "/"
        isForScopeOnly = properties["doNotApplyToChildScopes"]?.truth ?? false
        let excluded = properties["excludePrincipals"]?.elements ?? []
        exempt = Set(excluded.compactMap { $0["id"]?.text.flatMap { GUID($0) } })
    }

    /// True if it denies the action on the resource to `person`, whom the caller knows to be one of its principals.
    package func takes(_ action: String, on resource: ResourceID, from person: ObjectID) -> Bool {
        guard !exempt.contains(person.guid), scopeReaches(scope, resource) else { return false }
        guard !isForScopeOnly || scope.lowercased() == resource.path.lowercased() else { return false }
        return permissions.contains { $0.covers(action) }
    }
}

/// What a role gives (`roleDefinitions`, 2022-04-01).
package struct RoleDefinition: Hashable, Sendable {
    private let permissions: [DataPermission]

    package init(parsing bytes: [UInt8]) throws(MessageError) {
        guard let properties = try JSON(message: bytes)["properties"] else { throw .missing("properties") }
        permissions = try DataPermission.list(properties)
    }

    package func gives(_ action: String) -> Bool { permissions.contains { $0.covers(action) } }
}

/// True for the resource itself, what lies above it, and management groups: the service lists only those above it.
private func scopeReaches(_ scope: String, _ resource: ResourceID) -> Bool {
    var scope = scope.lowercased()
    if scope.hasPrefix("/providers/microsoft.management/managementgroups/") { return true }
    while scope.hasSuffix("/") { scope.removeLast() }
    let path = resource.path.lowercased()
    return path == scope || path.hasPrefix("\(scope)/")
}
