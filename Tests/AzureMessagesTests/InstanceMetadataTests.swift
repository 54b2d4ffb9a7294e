// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@testable import AzureMessages

struct InstanceMetadataTests {
    private static let group = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/web"

    private func metadata(_ resource: String, name: String = "vm1") throws -> InstanceMetadata {
        let text = """
            {"azEnvironment":"AzurePublicCloud","name":"\(name)","resourceId":"\(resource)",\
            "vmId":"33333333-3333-4333-8333-333333333333","tagsList":[{"name":"a","value":"b"}],"unknown":null}
            """
        return try InstanceMetadata(parsing: Array(text.utf8))
    }

    @Test(
        "the kind of machine follows from the resource id",
        arguments: [
            ("\(group)/providers/Microsoft.Compute/virtualMachines/vm1", MachineKind.virtualMachine),
            ("\(group)/providers/microsoft.compute/VIRTUALMACHINES/vm1", .virtualMachine),
            ("\(group)/providers/Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0", .scaleSetInstance),
            ("\(group)/providers/Microsoft.HybridCompute/machines/m", .arcServer),
        ]
    )
    func kinds(resource: String, kind: MachineKind) throws {
        let metadata = try metadata(resource)
        #expect(metadata.kind == kind)
        #expect(metadata.resource.path == resource)
        #expect(metadata.cloud == "AzurePublicCloud")
        #expect(metadata.vmID == GUID("33333333-3333-4333-8333-333333333333"))
    }

    @Test(
        "P1: a resource id of another form is refused",
        arguments: [
            "", "/", "\(group)", "\(group)/providers/Microsoft.Compute/disks/d",
            "\(group)/providers/Microsoft.Compute/virtualMachines", "\(group)/providers/x/virtualMachines/vm1?a=b",
            "\(group)/providers/Microsoft.Compute/virtualMachines/../x", "https://evil.example/subscriptions/x",
            "\(group)/providers/Microsoft.Compute/virtualMachines/vm1/extensions/e",
        ]
    )
    func refused(resource: String) {
        #expect(throws: MessageError.self) { try metadata(resource) }
    }

    @Test("the whole document of the hybrid service is read too")
    func wholeDocument() throws {
        let resource = "\(Self.group)/providers/Microsoft.HybridCompute/machines/m"
        let text = """
            {"compute":{"azEnvironment":"AzurePublicCloud","name":"m","resourceId":"\(resource)"},"network":{}}
            """
        let metadata = try InstanceMetadata(parsing: Array(text.utf8))
        #expect(metadata.kind == .arcServer)
        #expect(metadata.vmID == nil)
    }

    @Test("a name with blanks or without end is refused")
    func names() {
        let resource = "\(Self.group)/providers/Microsoft.Compute/virtualMachines/vm1"
        #expect(throws: MessageError.self) { try metadata(resource, name: "a b") }
        #expect(throws: MessageError.self) { try metadata(resource, name: String(repeating: "a", count: 129)) }
    }

    @Test("the tenant is a GUID or nothing")
    func tenant() throws {
        let good = Array("{\"tenantId\":\"11111111-1111-4111-8111-11111111111A\"}".utf8)
        #expect(try MachineTenant(parsing: good).tenant.description == "11111111-1111-4111-8111-11111111111a")
        for text in ["{}", "{\"tenantId\":\"common\"}", "{\"tenantId\":1}", "[]"] {
            #expect(throws: MessageError.self) { try MachineTenant(parsing: Array(text.utf8)) }
        }
    }
}
