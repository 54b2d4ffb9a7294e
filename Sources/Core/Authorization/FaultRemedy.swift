// SPDX-License-Identifier: Apache-2.0

package import Identity

/// What the place where a fault was met knows to do about it.
package enum FaultRemedy: Hashable, Sendable {
    /// The machine's identity needs Reader at this resource; nil while its object id is not known.
    case giveReader(to: ObjectID?, at: ResourceID)
    /// Another access checker may serve.
    case useOtherChecker
    /// This checker does not serve the question; the others are asked without it, too.
    case leaveOut(checker: String)
    /// The machine needs its system-assigned identity.
    case assignIdentity
    /// The tenant lacks this application's service principal.
    case createApplication(GUID)
    /// The metadata service is closed to the daemon's user.
    case openMetadata
    /// The daemon's user cannot read the key files of Arc's agent.
    case joinAgentsGroup

    /// For the record.
    package var text: String {
        switch self {
        case .giveReader(let principal, let resource):
            "az role assignment create --assignee-object-id"
                + " \(principal.map(\.description) ?? "<object id of the machine's identity>")"
                + " --assignee-principal-type ServicePrincipal --role Reader --scope \(resource)"
        case .useOtherChecker: "the role service refuses this machine's identity; the checker arm may serve instead"
        case .leaveOut(let checker):
            "\(checker) does not serve the question here: leave it out of AccessCheckers= in [Azure], and the others are asked"
        case .assignIdentity: "switch on the machine's system-assigned managed identity"
        case .createApplication(let id): "an administrator creates it: New-MgServicePrincipal -AppId \(id)"
        case .openMetadata:
            "let the user entralogin reach it: the firewall's owner rules, the guest proxy agent's rules, or"
                + " systemd.imds.network=locked"
        case .joinAgentsGroup: "the daemon's user must be in the group himds (configure --enable sees to that)"
        }
    }
}
