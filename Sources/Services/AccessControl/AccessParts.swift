// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import OpenSSHCertificates

/// The parts that work together on one decision.
struct AccessParts: Sendable {
    let settings: AccessSettings
    let ports: AccessPorts
    let tally: DecisionTally
    let journal: DecisionJournal
    let membership: AdministratorMembership
    /// Nil where no Entra group is a Unix group.
    let groups: GroupMembership?
    let ending: SessionEnding
    let authorizer: Authorizer
    let verified: VerifiedCertificates
    let signedIn: DeviceSignIns
    let sessions: OpenSessions
    let sudoQuestions = SudoQuestions()
    let batch: BatchPeople
    let starts: BatchStarts
    let pace: BackgroundPace
    let keyring: AuthorityKeyring
    let otherObjects = OtherObjects()
    let attempts = LastAttempts()
    /// The uids that held a grant when the daemon started, and until when: they may have sessions that it never saw.
    private let inherited: [PosixID: BootTime]

    init(_ given: AccessPorts, settings: AccessSettings, keyringSettings: KeyringSettings) {
        tally = DecisionTally(to: given.log, time: given.time)
        var ports = given
        ports.log = tally
        self.ports = ports
        self.settings = settings
        journal = DecisionJournal(machines: ports.machines, time: ports.time, log: ports.log)
        membership = AdministratorMembership(
            registry: ports.grants,
            accounts: ports.accounts,
            time: ports.time,
            log: ports.log,
            isWithheld: { [stamp = ports.stamp] in stamp.withholdsAdministrators() }
        )
        groups = ports.groups.map { [ports] in GroupMembership($0, ports, lifetime: settings.groupLifetime) }
        ending = SessionEnding(ports, after: settings.endSessionsAfter)
        starts = BatchStarts(announce: ports.announceAnswer)
        pace = BackgroundPace(time: ports.time, random: ports.random)
        authorizer = Authorizer(
            settings: settings,
            machines: ports.machines,
            checker: ports.checker,
            accountChecker: ports.accountChecker,
            grants: membership,
            groups: groups,
            ending: ending,
            starts: starts,
            pace: pace,
            time: ports.time,
            starter: ports.starter,
            log: ports.log
        )
        verified = VerifiedCertificates(watcher: ports.processes, lifetime: settings.loginGrace)
        signedIn = DeviceSignIns(lifetime: settings.loginGrace)
        sessions = OpenSessions(keeper: ports.keeper)
        batch = BatchPeople(time: ports.time)
        keyring = AuthorityKeyring(ports, settings: keyringSettings)
        inherited = membership.current()
    }

    func isInherited(_ uid: PosixID) -> Bool { inherited[uid].map { ports.time.bootTime() < $0 } ?? false }

    /// Whether the account has a live session that the daemon opened by certificate or code.
    func hasOpenSession(_ uid: PosixID) -> Bool { sessions.hasLive(uid) }

    /// When a grant based on `ruling` ends: with the grace at the latest, where the ruling rests on that.
    func grantExpiry(for ruling: Ruling) -> BootTime {
        let full = ports.time.bootTime().advanced(by: settings.grantLifetime)
        return ruling.graceEnds.map { min($0, full) } ?? full
    }

    /// Between nine tenths and the whole of `duration`, so that machines started together do not ask together.
    func jittered(_ duration: Duration) -> Duration { ports.random.jitter(duration, atLeast: 0.9) }

    /// What a certificate for `name` must fulfil now; `name` is nil where the certificate can be no user's.
    func expectations(for name: UserName?) throws(Denial) -> CertificateExpectations {
        guard let machine = ports.machines.current else { throw Denial(.machineUnknown) }
        let revoked = try keyring.revoked()
        return CertificateExpectations(
            loginName: name,
            tenant: machine.tenant,
            authorityKeys: keyring.keys,
            revoked: revoked,
            now: ports.time.wallTime().seconds
        )
    }

    /// Forgets what belongs to processes that have ended.
    func sweep() {
        verified.sweep(at: ports.time.bootTime())
        signedIn.sweep(at: ports.time.bootTime())
        sessions.sweep()
    }
}
