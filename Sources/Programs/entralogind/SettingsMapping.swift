// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import HTTPTransport
internal import Libcrypto
internal import OpenSSHCertificates
internal import Settings

// Translates the administrator's settings into those of each part.

extension AccountPolicy {
    /// `mapsGroups`: `[Groups]` has lines.
    init(_ accounts: Settings.Accounts, mapsGroups: Bool) {
        self.init(
            domains: Set(accounts.domains),
            homeTemplate: accounts.homeTemplate,
            shell: accounts.shell,
            usersGroupName: accounts.usersGroup,
            administratorsGroupName: accounts.administratorsGroup,
            enumerate: accounts.enumerate,
            numbers: accounts.numbers,
            subordinateIDs: accounts.subordinateIDs,
            homeOverrides: accounts.homeOverrides,
            shellOverrides: accounts.shellOverrides
        )
        self.mapsGroups = mapsGroups
        shortNameDomain = accounts.shortNames
    }
}

extension AccessSettings {
    init(_ signIn: Settings.SignIn, _ devices: Settings.DeviceSignIn) {
        self.init()
        if devices.clientID != nil {
            deviceServices = Set(devices.services.map(\.rawValue))
            if devices.services.contains(.sudo) { deviceServices.formUnion(PAMServices.stepUp) }
        }
        deviceLimit = devices.limit
        offlineGrace = signIn.offlineGrace
        maximumSignInAge = signIn.maximumSignInAge
        grantLifetime = signIn.grantLifetime
        endSessionsAfter = signIn.endSessions ? signIn.endSessionsAfter : nil
    }
}

extension AzureEndpoints {
    init(_ azure: Settings.Azure) {
        self.init(
            login: azure.loginEndpoint,
            roleService: azure.policyEndpoint,
            resourceManager: azure.resourceManagerEndpoint,
            graph: azure.graphEndpoint,
            instanceMetadata: azure.metadataEndpoint
        )
    }
}

extension HTTPProxy {
    init(_ azure: Settings.Azure) {
        self = azure.proxy.map { .configured(url: Secret($0), exceptions: azure.noProxy ?? "") } ?? .environment
    }
}

extension CertificateVerifier {
    init(_ signIn: Settings.SignIn) {
        self.init(
            signatures: LibcryptoSignatureVerifier(),
            digests: LibcryptoDigests(),
            limits: ValidityLimits(
                startSkew: UInt32(signIn.clockSkew.components.seconds),
                maximumLifetime: UInt32(signIn.maximumCertificateLifetime.components.seconds)
            )
        )
    }
}
