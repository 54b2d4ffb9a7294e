// SPDX-License-Identifier: Apache-2.0

/// The hosts of one Azure cloud, each as `https://host` without a slash at the end (azure.md, "Clouds").
package struct Cloud: Hashable, Sendable {
    /// Entra: sign-in keys and the OpenID configuration.
    package var login: String
    /// PAS; nil if its address is unknown.
    package var roleService: String?
    /// ARM; nil if its address is unknown.
    package var resourceManager: String?
    /// The audience of tokens for ARM: its public address with a slash, even if it is reached at another address.
    package var resourceManagerAudience: String?
    /// Microsoft Graph; nil if its address is unknown.
    package var graph: String?
    /// The audience of tokens for Graph: its public address, even if it is reached at another address.
    package var graphAudience: String?
    /// The `cloud_instance_name` in the OpenID configuration of this cloud's tenants; nil if unknown.
    package var instance: String?

    package init(
        login: String,
        roleService: String?,
        resourceManager: String?,
        resourceManagerAudience: String? = nil,
        graph: String? = nil,
        graphAudience: String? = nil,
        instance: String? = nil
    ) {
        self.graph = graph
        self.graphAudience = graphAudience ?? graph
        self.instance = instance
        self.login = login
        self.roleService = roleService
        self.resourceManager = resourceManager
        self.resourceManagerAudience = resourceManagerAudience ?? resourceManager.map { "\($0)/" }
    }

    /// The published clouds, by `azEnvironment` in any letter case; nil for a cloud that is not in the table.
    package static func named(_ environment: String) -> Cloud? {
        switch environment.lowercased() {
        case "azurepubliccloud":
            Cloud(
                login: "https://login.microsoftonline.com",
                roleService: "https://pas.windows.net",
                resourceManager: "https://management.azure.com",
                graph: "https://graph.microsoft.com",
                instance: "microsoftonline.com"
            )
        case "azureusgovernmentcloud":
            Cloud(
                login: "https://login.microsoftonline.us",
                roleService: "https://pasff.usgovcloudapi.net",
                resourceManager: "https://management.usgovcloudapi.net",
                graph: "https://graph.microsoft.us",
                instance: "microsoftonline.us"
            )
        case "azurechinacloud":
            Cloud(
                login: "https://login.chinacloudapi.cn",
                roleService: "https://pas.chinacloudapi.cn",
                resourceManager: "https://management.chinacloudapi.cn",
                graph: "https://microsoftgraph.chinacloudapi.cn",
                instance: "partner.microsoftonline.cn"
            )
        default: nil
        }
    }
}

/// The services' addresses: the administrator's settings, which override the table.
package struct AzureEndpoints: Hashable, Sendable {
    /// The application "Azure Linux VM Sign-In" (azure.md, "The role check").
    package static let signInApplication = "ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"

    /// `http://` or `https://`, host, optional port; no slash at the end. Nil: that of the machine's cloud.
    package var login: String?
    package var roleService: String?
    package var resourceManager: String?
    /// Nil: the public address of the cloud's Resource Manager.
    package var resourceManagerAudience: String?
    package var graph: String?
    /// The audience of tokens for the role service.
    package var roleServiceAudience: String
    package var instanceMetadata: String
    package var hybridMetadata: String

    package init(
        login: String? = nil,
        roleService: String? = nil,
        resourceManager: String? = nil,
        resourceManagerAudience: String? = nil,
        graph: String? = nil,
        roleServiceAudience: String = AzureEndpoints.signInApplication,
        instanceMetadata: String = "http://169.254.169.254",
        hybridMetadata: String = "http://127.0.0.1:40342"
    ) {
        self.login = login
        self.roleService = roleService
        self.resourceManager = resourceManager
        self.resourceManagerAudience = resourceManagerAudience
        self.graph = graph
        self.roleServiceAudience = roleServiceAudience
        self.instanceMetadata = instanceMetadata
        self.hybridMetadata = hybridMetadata
    }

    /// The table's cloud with these settings applied; nil if the cloud is unknown and no login host is set.
    package func cloud(named environment: String) -> Cloud? {
        let known = Cloud.named(environment)
        guard let login = login ?? known?.login else { return nil }
        return Cloud(
            login: login,
            roleService: roleService ?? known?.roleService,
            resourceManager: resourceManager ?? known?.resourceManager,
            resourceManagerAudience: resourceManagerAudience ?? known?.resourceManagerAudience,
            graph: graph ?? known?.graph,
            graphAudience: known?.graphAudience,
            instance: known?.instance
        )
    }
}
