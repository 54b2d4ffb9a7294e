// SPDX-License-Identifier: Apache-2.0

package import Identity

/// How to fix a fault, as far as the code that met it knows.
package enum FaultRemedy: Hashable, Sendable {
    /// The machine's identity needs Reader at this resource; nil while its object id is not known.
    case giveReader(to: ObjectID?, at: ResourceID)
    /// The machine's identity needs this Microsoft Graph application permission; nil while its object id is not known.
    case giveGraph(GraphPermission, to: ObjectID?, host: String)
    /// Another access checker may serve.
    case useOtherChecker
    /// This checker cannot answer the question; the others are asked even if it is left out.
    case leaveOut(checker: String)
    /// The machine needs its system-assigned identity.
    case assignIdentity
    /// The tenant lacks this application's service principal.
    case createApplication(GUID)
    /// The daemon's user cannot reach the metadata service.
    case openMetadata
    /// The daemon's user cannot read the key files of Arc's agent.
    case joinAgentsGroup

    /// The text for a record.
    package var text: String {
        switch self {
        case .giveReader(let principal, let resource):
            "az role assignment create --assignee-object-id"
                + " \(principal.map(\.description) ?? "<object id of the machine's identity>")"
                + " --assignee-principal-type ServicePrincipal --role Reader --scope \(resource)"
        case .giveGraph(let permission, let principal, let host): permission.command(for: principal, host: host)
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

/// A Microsoft Graph application permission, and the id of its app role, which is the same in every tenant (azure.md,
/// "Microsoft Graph").
package enum GraphPermission: String, Hashable, Sendable, CaseIterable {
    case readUsers = "User.Read.All"
    /// For service principals and managed identities.
    case readApplications = "Application.Read.All"
    /// For memberships in groups.
    case readMembers = "GroupMember.Read.All"

    package var appRole: String {
        switch self {
        case .readUsers: "df021288-bdef-4463-88db-98f22de89214"
        case .readApplications: "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"
        case .readMembers: "98830695-27a2-44f7-8c18-0c3ebc9698f6"
        }
    }

    /// The command for an administrator of the directory.
    func command(for principal: ObjectID?, host: String) -> String {
        let identity = principal?.description ?? "<object id of the machine's identity>"
        return "an administrator of the directory gives it \(rawValue) of Microsoft Graph:"
            + " graph=$(az ad sp show --id 00000003-0000-0000-c000-000000000000 --query id -o tsv);"
            + " az rest --method POST --url \(host)/v1.0/servicePrincipals/\(identity)/appRoleAssignments --body"
            + " \"{'principalId':'\(identity)','resourceId':'$graph','appRoleId':'\(appRole)'}\";"
            + " it may take hours until it counts" + (addition.map { "; \($0)" } ?? "")
    }

    /// What may be needed in addition.
    private var addition: String? {
        guard self == .readMembers else { return nil }
        let other = GraphPermission.readUsers
        return "Microsoft documents \(other.rawValue) (\(other.appRole)) beside it: the same with that"
    }
}
