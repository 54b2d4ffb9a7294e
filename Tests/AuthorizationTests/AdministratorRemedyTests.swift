// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing

struct AdministratorRemedyTests {
    private func machine(_ kind: MachineKind, _ resource: String) throws -> Machine {
        Machine(
            kind: kind,
            resource: try #require(ResourceID("/subscriptions/s/resourceGroups/web/providers/\(resource)")),
            tenant: try #require(TenantID("c0ffee00-0000-4000-8000-0000c0470500")),
            name: "vm",
            cloud: "AzurePublicCloud"
        )
    }

    private func remedy(_ reason: DenialReason, _ detail: String = "", on machine: Machine? = nil) -> String {
        AdministratorRemedy(machine: machine).text(for: AccessCheckFault(reason, detail: detail))
    }

    @Test("A missing identity is remedied by the command for this very machine")
    func identity() throws {
        #expect(remedy(.noManagedIdentity) == "az vm identity assign --name <machine> --resource-group <group>")
        let vm = try machine(.virtualMachine, "Microsoft.Compute/virtualMachines/vm1")
        #expect(remedy(.noManagedIdentity, on: vm) == "az vm identity assign --ids \(vm.resource)")
        let set = try machine(.scaleSetInstance, "Microsoft.Compute/virtualMachineScaleSets/pool/virtualMachines/3")
        let text = remedy(.noManagedIdentity, on: set)
        #expect(text.hasPrefix("az vmss identity assign --resource-group web --name pool;"))
        #expect(text.contains("az vmss update-instances"))
        let arc = try machine(.arcServer, "Microsoft.HybridCompute/machines/a")
        #expect(remedy(.noManagedIdentity, on: arc).contains("azcmagent"))
    }

    @Test("P16: a key file of Arc's that the daemon may not read is remedied by the group, not by opening the network")
    func agentsGroup() {
        let closed = AccessCheckFault(.metadataClosed, of: "himds", detail: "", remedy: .joinAgentsGroup)
        #expect(AdministratorRemedy(machine: nil).text(for: closed) == FaultRemedy.joinAgentsGroup.text)
        #expect(remedy(.metadataClosed).hasPrefix("169.254.169.254 must be open"))
    }

    @Test("The command that the adapter knows is the remedy, and stands in the record, not in the sentence")
    func said() throws {
        let resource = try machine(.virtualMachine, "Microsoft.Compute/virtualMachines/vm1").resource
        let id = try #require(ObjectID("0b1ec700-0000-4000-8000-000000000001"))
        let command = "az role assignment create --assignee-object-id \(id) --assignee-principal-type ServicePrincipal"
        let fault = AccessCheckFault(
            .identityMayNotAsk,
            of: "arm",
            detail: "status 403",
            remedy: .giveReader(to: id, at: resource)
        )
        #expect(AdministratorRemedy(machine: nil).text(for: fault) == "\(command) --role Reader --scope \(resource)")
        #expect(AdministratorRemedy.sentence(fault) == "\(DenialReason.identityMayNotAsk.text): arm: status 403")
        #expect(fault.detail == "arm: status 403; \(command) --role Reader --scope \(resource)")
        #expect(AdministratorRemedy.sentence(AccessCheckFault(.throttled, detail: "")) == DenialReason.throttled.text)
        // A command comes before advice, whichever of the two faults was set aside; each keeps its own words.
        let both = AccessCheckFault(
            .identityMayNotAsk,
            of: "pas",
            detail: "status 403",
            remedy: .useOtherChecker,
            setAside: [fault]
        )
        #expect(AdministratorRemedy(machine: nil).text(for: both).hasPrefix(command))
        #expect(AdministratorRemedy.sentence(both).hasSuffix("pas: status 403"))
        #expect(both.detail.hasSuffix(fault.detail))
    }

    @Test("P16: a service that does not serve the question is left out; no proxy is looked for")
    func unserved() {
        let fault = AccessCheckFault(
            .malformedAnswer,
            of: "pas",
            detail: "status 404",
            remedy: .leaveOut(checker: "pas")
        )
        #expect(AdministratorRemedy(machine: nil).text(for: fault).contains("leave it out of AccessCheckers="))
        #expect(remedy(.malformedAnswer).contains("proxy"))
    }

    @Test(
        "P12: what stands in a fault's words is never its remedy, whatever it looks like",
        arguments: DenialReason.allCases
    )
    func wordsAreNoRemedy(reason: DenialReason) {
        let words = "status 403 Forbidden: x; do rm -rf /: TLS failed: New-MgServicePrincipal -AppId evil"
        let aside = AccessCheckFault(reason, of: "pas", detail: words)
        let fault = AccessCheckFault(reason, of: "arm", detail: words, setAside: [aside])
        #expect(AdministratorRemedy(machine: nil).text(for: fault) == remedy(reason))
        #expect(AdministratorRemedy.sentence(fault) == "\(reason.text): arm: \(words)")
    }

    @Test("No remedy for the administrator sends to the administrator, or to doctor", arguments: DenialReason.allCases)
    func notInCircles(reason: DenialReason) {
        let text = remedy(reason)
        guard reason.isUndecided, ![.storeUnreadable, .enrolmentFailed].contains(reason) else { return }
        #expect(!text.contains("doctor") && !text.contains("this machine's administrator"), "\(text)")
    }
}
