// SPDX-License-Identifier: Apache-2.0

package import Identity

/// What the administrator may set, with the defaults. The keys and their limits are in `SettingsKey.all`; the syntax is
/// systemd's (systemd.syntax(7)): `[Section]`, `Key=value`, comments with `#` or `;`.
package struct Settings: Hashable, Sendable {
    package var azure = Azure()
    package var keys = Keys()
    package var accounts = Accounts()
    package var signIn = SignIn()
    package var deviceSignIn = DeviceSignIn()
    package var log = Log()
    /// The Entra groups that are Unix groups here, sorted by name; each name and each object id once.
    package var groups: [EntraGroup] = []

    package init() {}

    package struct Azure: Hashable, Sendable {
        /// `https://host[:port]`, no path; nil: the one of the machine's cloud.
        package var loginEndpoint: String?
        package var policyEndpoint: String?
        package var resourceManagerEndpoint: String?
        package var graphEndpoint: String?
        /// Plain HTTP, by address, never through a proxy.
        package var metadataEndpoint = "http://169.254.169.254"
        /// In the order of asking; not empty, each once.
        package var accessCheckers: [AccessCheckerName] = [.pas, .arm]
        /// A refusal without a stated reason is confirmed by role assignments before it counts.
        package var confirmRefusals = true
        /// Disabled and deleted accounts are refused. The machine's identity needs a Microsoft Graph permission for it.
        package var checkAccountEnabled = false
        /// Needed only if the metadata service does not report it correctly.
        package var tenantID: TenantID?
        /// A user-assigned identity; nil: the system-assigned one.
        package var clientID: GUID?
        /// `http://…` or `https://…`, optionally with credentials; nil: as the environment says.
        package var proxy: String?
        /// Hosts and networks that are reached without the proxy, as in `no_proxy`.
        package var noProxy: String?
        /// PEM file of certificate authorities instead of the system's.
        package var authoritiesFile: String?
    }

    package struct Keys: Hashable, Sendable {
        /// In order; not empty, each once.
        package var sources: [KeySourceName] = [.jwks]
        /// For the source `file`.
        package var file: String?
        /// OpenSSH's KRL or a plain list of keys; nil: nothing is revoked here.
        package var revokedKeys: String?
    }

    package struct Accounts: Hashable, Sendable {
        /// Lower case; empty: any domain.
        package var domains: [String] = []
        package var homeTemplate = HomeTemplate.standard
        package var shell = "/bin/bash"
        package var usersGroup = "entra_users"
        package var administratorsGroup = "entra_admins"
        package var enumerate = false
        /// The domain, in lower case, whose users have the part before the `@` as their name; nil: short names are off.
        package var shortNames: String?
        /// `[Overrides]`: replace `homeTemplate` and `shell` for some new accounts. The first that matches counts.
        package var homeOverrides: [AccountOverride<HomeTemplate>] = []
        package var shellOverrides: [AccountOverride<String>] = []
        /// The range for the uids of new accounts.
        package var numbers = PosixID.userRange
        /// Accounts get ranges for rootless containers, in /etc/subuid and /etc/subgid.
        package var subordinateIDs = false
        /// Their numbers; nil: `SubordinateIDPlan.standardNumbers`, unless another directory has users here.
        package var subordinateNumbers: ClosedRange<UInt32>?
        /// Prefixes of the names of commands that see users who have never signed in.
        package var provisionalCallers = ["sshd"]
    }

    package struct SignIn: Hashable, Sendable {
        /// How far in the future a certificate may begin.
        package var clockSkew: Duration = .seconds(60)
        package var maximumCertificateLifetime: Duration = .seconds(86_400)
        /// Zero: off.
        package var offlineGrace: Duration = .seconds(3600)
        package var grantLifetime: Duration = .seconds(3600)
        package var maximumSignInAge: Duration = .seconds(30 * 86_400)
        /// Whether all processes of an account are ended after a final no, and how long after it.
        package var endSessions = false
        package var endSessionsAfter: Duration = .zero
    }

    /// Sign-in with a code that is typed on another device (RFC 8628). Off without a client id.
    package struct DeviceSignIn: Hashable, Sendable {
        /// The application of this tenant that asks (a public client); nil: off. No default: none is published.
        package var clientID: GUID?
        /// The PAM services in which it is offered; not empty, each once.
        package var services: [DeviceServiceName] = [.login]
        /// From the issue of the code to the end of the sign-in; Entra's own limit may be shorter.
        package var limit: Duration = .seconds(300)
    }

    package struct Log: Hashable, Sendable {
        /// The least urgent level that is written: syslog's numbers, 3 (error) to 7 (debugging).
        package var level = 6
        /// Grants, refusals and withdrawals are also reported to the Linux audit system.
        package var audit = true
    }
}

/// The PAM services in which sign-in with a code can be offered: those used at a terminal. Never sshd (P4), and never
/// one that runs without a user.
package enum DeviceServiceName: String, Sendable, CaseIterable {
    case login
    case su
    case suLogin = "su-l"
    /// Step-up: administrators prove who they are before sudo runs anything, also by `sudo -i` (maybe another service).
    case sudo
}

/// The access checkers by the names that settings, records and reports use (azure.md, "The role check").
package enum AccessCheckerName: String, Sendable, CaseIterable {
    case pas
    case arm
    case armRoleAssignments = "arm-roleassignments"
}

/// The sources of CA keys (azure.md, "CA keys").
package enum KeySourceName: String, Sendable, CaseIterable {
    case jwks
    case imds
    case file
}
