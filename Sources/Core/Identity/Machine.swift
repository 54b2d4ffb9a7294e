// SPDX-License-Identifier: Apache-2.0

/// The full path of an Azure resource (`/subscriptions/...`). Azure compares it without regard to letter case.
package struct ResourceID: Hashable, Sendable, CustomStringConvertible {
    package let path: String

    /// Nil unless it begins with `/subscriptions/`, has at most 2,048 characters of printable ASCII without blanks,
    /// quotes, `?`, `#`, `%` or backslash, and no empty or `..` component: it becomes part of a URL.
    package init?(_ text: String) {
        guard text.utf8.count <= 2048, text.lowercased().hasPrefix("/subscriptions/") else { return nil }
        let refused = Set("?#%\\\"'<>`{}|^".utf8)
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !refused.contains($0) }) else { return nil }
        let components = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard components.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        path = text
    }

    package var description: String { path }

    package static func == (left: ResourceID, right: ResourceID) -> Bool {
        left.path.lowercased() == right.path.lowercased()
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(path.lowercased()) }
}

/// Which kind of resource this machine is; it decides the names of the data actions (azure.md, "The role check").
package enum MachineKind: String, Sendable, Codable {
    case virtualMachine = "vm"
    case scaleSetInstance = "scale-set-instance"
    case arcServer = "arc"
}

/// What this machine is in Azure.
package struct Machine: Hashable, Sendable {
    package let kind: MachineKind
    package let resource: ResourceID
    /// The tenant that the machine trusts: its subscription's.
    package let tenant: TenantID
    package let name: String
    /// `azEnvironment`, for example `AzurePublicCloud`.
    package let cloud: String

    package init(kind: MachineKind, resource: ResourceID, tenant: TenantID, name: String, cloud: String) {
        self.kind = kind
        self.resource = resource
        self.tenant = tenant
        self.name = name
        self.cloud = cloud
    }
}
