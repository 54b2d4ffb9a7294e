// SPDX-License-Identifier: Apache-2.0

/// How the account stage decides for a PAM service (the table in ARCHITECTURE.md).
package struct ServicePolicy: Hashable, Sendable {
    package enum Kind: String, Sendable, Codable {
        /// sshd, login, and whatever is not listed.
        case signIn
        /// sudo and its like: of the invoking and of the target user.
        case elevation
        /// cron and its like: nobody waits there, so the network is never waited for.
        case batch
    }

    package let kind: Kind
    /// The decision must not be older.
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
    /// whatever its service is called; elsewhere, a process with the administrators' gid acts by it, and sudo, too,
    /// may be told to be another service (sudoers(5), pam_service). `isInvoked`: an Entra account runs the program,
    /// so it is no job of cron's, whatever the service is called.
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

    /// What sudo's plugin calls itself (entralogin_sudo.h): whether the user who runs sudo is an administrator.
    package static let sudoers = "sudoers"
    /// The same about somebody else, for `sudo -l -U`.
    package static let sudoersList = "sudoers-list"

    /// The question is about membership: without one the answer is no, whatever role there is.
    package static func asksForMembership(_ service: String) -> Bool { service == sudoers || service == sudoersList }

    /// The role that a person needs. Kernel group ids outlive a withdrawn membership, and sudo goes by them: so whoever
    /// acts with the administrators' gid, or is listed as an administrator, must still be one.
    package func roleNeeded(holdsAdministratorsGroup: Bool, isListedAdministrator: Bool) -> Role {
        kind == .elevation && (holdsAdministratorsGroup || isListedAdministrator) ? .administrator : .user
    }
}

extension AccessDecision {
    /// The same decision for somebody who needs `role`: an allow of less becomes a refusal.
    package func requiring(_ role: Role) -> AccessDecision {
        guard case .allow(let held, _) = self, held < role else { return self }
        return .deny(Denial(.administratorRoleNeeded))
    }
}
