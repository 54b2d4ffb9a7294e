// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Identity

/// The file of the last known machine: JSON, version 1. It is derived data: an unreadable file counts as absent.
struct MachineRecord: Hashable {
    private static let version: Int64 = 1

    let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    init?(parsing bytes: [UInt8]) {
        guard let document = try? JSON(parsing: bytes), document["version"]?.integer == Self.version else { return nil }
        guard let kind = document["kind"]?.text.flatMap(MachineKind.init(rawValue:)) else { return nil }
        guard let resource = document["resource"]?.text.flatMap({ ResourceID($0) }) else { return nil }
        guard let tenant = document["tenant"]?.text.flatMap({ TenantID($0) }) else { return nil }
        guard let name = document["name"]?.text, let cloud = document["cloud"]?.text else { return nil }
        machine = Machine(kind: kind, resource: resource, tenant: tenant, name: name, cloud: cloud)
    }

    var bytes: [UInt8] {
        JSON.object([
            "version": .number(String(Self.version)), "kind": .string(machine.kind.rawValue),
            "resource": .string(machine.resource.path), "tenant": .string(machine.tenant.description),
            "name": .string(machine.name), "cloud": .string(machine.cloud),
        ]).bytes + [UInt8(ascii: "\n")]
    }
}
