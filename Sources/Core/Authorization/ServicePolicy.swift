// SPDX-License-Identifier: Apache-2.0

/// How the account stage decides for a PAM service (the table in ARCHITECTURE.md).
package struct ServicePolicy: Hashable, Sendable {
    package enum Kind: String, Sendable, Codable {
        /// sshd, login, and every service that is not listed.
        case signIn
        /// sudo and the like; decided for the invoking user and for the target user.
        case elevation
        /// cron and the like: no user is waiting there, so the call never waits for the network.
        case batch
    }

    package let kind: Kind
    /// The greatest age of a decision that counts.
    package let maximumAge: Duration
    /// Azure may be asked while the caller waits.
    package let waitsForNetwork: Bool

    private init(kind: Kind, maximumAge: Duration, waitsForNetwork: Bool) {
        self.kind = kind
        self.maximumAge = maximumAge
        self.waitsForNetwork = waitsForNetwork
    }

    package static let signIn = ServicePolicy(kind: .signIn, maximumAge: .seconds(300), waitsForNetwork: true)
    package static let elevation = ServicePolicy(kind: .elevation, maximumAge: .seconds(60), waitsForNetwork: true)
    package static let batch = ServicePolicy(kind: .batch, maximumAge: .seconds(86_400), waitsForNetwork: false)

    /// The policy for a service name as pam_start(3) folds it (lower case). An sshd process is always a sign-in,
    /// whatever its service name. Elsewhere, a process with the administrators' gid is an elevation under an unlisted
    /// name, too: sudo can be given another service name (sudoers(5), pam_service). `isInvoked`: an Entra account runs
    /// the program, so it is not a job that cron started, whatever the service name.
    package static func of(
        service: String,
        isInSSHD: Bool,
        holdsAdministratorsGroup: Bool = false,
        isInvoked: Bool = false
    ) -> ServicePolicy {
        if isInSSHD { return .signIn }
        if PAMServices.elevates(service) || asksForMembership(service) { return .elevation }
        if PAMServices.isBatch(service) { return isInvoked ? .elevation : .batch }
        return holdsAdministratorsGroup ? .elevation : .signIn
    }

    /// The service name with which sudo's plugin asks whether the user who runs sudo is an administrator
    /// (entralogin_sudo.h).
    package static let sudoers = "sudoers"
    /// The same question about another user, for `sudo -l -U`.
    package static let sudoersList = "sudoers-list"

    /// True for a question about membership: without a grant the answer is no, whatever the role.
    package static func asksForMembership(_ service: String) -> Bool { service == sudoers || service == sudoersList }

    /// The role that the user needs. A process keeps its group ids after a withdrawal, and sudo goes by them: a user
    /// who acts with the administrators' gid, or is listed as an administrator, must still have the administrator role.
    package func roleNeeded(holdsAdministratorsGroup: Bool, isListedAdministrator: Bool) -> Role {
        kind == .elevation && (holdsAdministratorsGroup || isListedAdministrator) ? .administrator : .user
    }
}

extension AccessDecision {
    /// The same decision where `role` is needed: an allow of a lesser role becomes a refusal.
    package func requiring(_ role: Role) -> AccessDecision {
        guard case .allow(let held, _) = self, held < role else { return self }
        return .deny(Denial(.administratorRoleNeeded))
    }
}
