// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// What the metadata service says of this machine (`/metadata/instance/compute`; azure.md, "Instance metadata").
package struct InstanceMetadata: Hashable, Sendable {
    package let kind: MachineKind
    package let resource: ResourceID
    package let name: String
    /// `azEnvironment`, in the letter case received.
    package let cloud: String
    /// Nil on Arc machines.
    package let vmID: GUID?

    /// The longest names that are accepted. Azure's are up to 64 characters, Arc's host names 63.
    private static let maximumName = 128

    /// Reads the compute part, alone or as the member `compute` of the whole document (as HIMDS gives it).
    package init(parsing bytes: [UInt8]) throws(MessageError) {
        let document = try JSON(message: bytes)
        let compute = document["compute"] ?? document
        guard let resource = ResourceID(try compute.requiredText("resourceId")) else {
            throw MessageError("\"resourceId\" is not a resource id")
        }
        guard let kind = InstanceMetadata.kind(of: resource) else {
            throw MessageError("\"resourceId\" is not a virtual machine, a scale set's instance or an Arc server")
        }
        self.kind = kind
        self.resource = resource
        name = try InstanceMetadata.word(compute, "name")
        cloud = try InstanceMetadata.word(compute, "azEnvironment")
        vmID = compute["vmId"]?.text.flatMap { GUID($0) }
    }

    /// The kind, by provider and type in the path. An instance of a flexible scale set is an ordinary virtual machine.
    private static func kind(of resource: ResourceID) -> MachineKind? {
        let parts = resource.path.lowercased().split(separator: "/")
        // subscriptions/<id>/resourceGroups/<group>/providers/<provider>/<type>/<name>...
        guard parts.count >= 8, parts[2] == "resourcegroups", parts[4] == "providers" else { return nil }
        switch (parts[5], parts[6], parts.count) {
        case ("microsoft.compute", "virtualmachines", 8): return .virtualMachine
        case ("microsoft.compute", "virtualmachinescalesets", 10) where parts[8] == "virtualmachines":
            return .scaleSetInstance
        case ("microsoft.hybridcompute", "machines", 8): return .arcServer
        default: return nil
        }
    }

    private static func word(_ object: JSON, _ name: String) throws(MessageError) -> String {
        let text = try object.requiredText(name)
        guard text.utf8.count <= maximumName, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw MessageError("\"\(name)\" is too long or holds other characters than printable ASCII")
        }
        return text
    }
}

/// The tenant that the machine trusts (`/metadata/identity/info`; azure.md, "Instance metadata").
package struct MachineTenant: Hashable, Sendable {
    package let tenant: TenantID

    package init(parsing bytes: [UInt8]) throws(MessageError) {
        guard let tenant = TenantID(try JSON(message: bytes).requiredText("tenantId")) else {
            throw MessageError("\"tenantId\" is no GUID")
        }
        self.tenant = tenant
    }
}
