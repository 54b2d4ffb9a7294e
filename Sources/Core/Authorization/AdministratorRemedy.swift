// SPDX-License-Identifier: Apache-2.0

package import Identity

/// What the machine's administrator can do about a fault: for `status` and `doctor`. What the refused person reads is
/// `DenialText`.
package struct AdministratorRemedy: Sendable {
    /// The built-in role that may only read role assignments and ask *checkAccess* (azure.md, "The role check").
    package static let smallerRole = "65a14201-8f6c-4c28-bec4-12619c5a9aaa"

    private let machine: Machine?

    /// `machine` as far as it is known: commands then name it.
    package init(machine: Machine?) { self.machine = machine }

    /// True if the remedy proposes a proxy, perhaps among other things.
    package static func namesProxy(_ remedy: String) -> Bool { remedy.contains(NetworkCause.proxySetting) }

    /// The fault in a sentence, without its remedy.
    package static func sentence(_ fault: AccessCheckFault) -> String {
        fault.particulars.isEmpty ? fault.reason.text : "\(fault.reason.text): \(fault.particulars)"
    }

    /// What to do or type; empty where nothing can be done but wait.
    package func text(for fault: AccessCheckFault) -> String {
        switch fault.reason {
        case .noManagedIdentity: return identityCommand
        case .identityMayNotAsk: return permission(for: fault)
        case .directoryRefused:
            return fault.remedy?.text
                ?? "give this machine's identity the permission \(GraphPermission.readUsers.rawValue) of Microsoft Graph"
        case .applicationMissing: return application(of: fault)
        case .metadataClosed where fault.all.contains { $0.remedy == .joinAgentsGroup }:
            return FaultRemedy.joinAgentsGroup.text
        case .metadataClosed, .machineUnknown:
            return
                "169.254.169.254 must be open to the user entralogin. Three things close it: an owner rule of the firewall;"
                + " the guest proxy agent, which needs a rule for userName entralogin, exePath /usr/sbin/entralogind and"
                + " the paths /metadata/instance/compute, /metadata/identity/info, /metadata/identity/oauth2/token; and"
                + " systemd.imds.network=locked on the kernel's command line. runuser -u entralogin -- curl -s -H Metadata:true"
                + " 'http://169.254.169.254/metadata/instance?api-version=2021-02-01'"
        case .resourceNotFound:
            return
                "the machine may have been moved or deleted in Azure; systemctl restart entralogind asks anew what it is"
        case .unreachable, .noAuthorityKeys:
            return fault.tellingCause?.remedy
                ?? "see that this machine reaches that host over HTTPS, directly or by \(NetworkCause.proxySetting)"
        case .malformedAnswer:
            let others = fault.all.compactMap(\.remedy).first { if case .leaveOut = $0 { true } else { false } }
            return others?.text
                ?? "something between this machine and Azure may answer in its stead: look for a proxy that opens TLS"
        case .throttled: return "wait: Azure has named the time"
        case .roleUnconfirmed:
            return fault.tellingCause?.remedy ?? "wait, and see that this machine reaches Resource Manager"
        default: return DenialText.remedy(for: fault.reason)
        }
    }

    /// Prefers a command (`giveReader`) to general advice, whichever endpoint's fault has it.
    private func permission(for fault: AccessCheckFault) -> String {
        let remedies = fault.all.compactMap(\.remedy)
        let command = remedies.first { if case .giveReader = $0 { true } else { false } }
        return (command ?? remedies.first)?.text ?? "give this machine's identity the role Reader at \(resource)"
    }

    private var resource: String { machine?.resource.path ?? "its own resource" }

    private var identityCommand: String {
        guard let machine else { return "az vm identity assign --name <machine> --resource-group <group>" }
        switch machine.kind {
        case .virtualMachine: return "az vm identity assign --ids \(machine.resource)"
        case .scaleSetInstance:
            // …/resourceGroups/GROUP/providers/Microsoft.Compute/virtualMachineScaleSets/SET/virtualMachines/N
            let parts = machine.resource.path.split(separator: "/")
            let set = parts.count > 7 ? "--resource-group \(parts[3]) --name \(parts[7])" : "--name <scale set>"
            return "az vmss identity assign \(set); an instance of an older model has it only after"
                + " az vmss update-instances \(set) --instance-ids '*'"
        case .arcServer: return "azcmagent show; azcmagent connect gives an Arc server its identity"
        }
    }

    private func application(of fault: AccessCheckFault) -> String {
        let ids = fault.all.compactMap { fault -> GUID? in
            guard case .createApplication(let id)? = fault.remedy else { return nil }
            return id
        }
        guard let id = ids.first else { return "AccessCheckers=arm in [Azure] does without it" }
        return "once for the tenant, by one who may add applications: az ad sp create --id \(id), or"
            + " New-MgServicePrincipal -AppId \(id); AccessCheckers=arm in [Azure] does without it"
    }
}
