// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import OpenSSHCertificates
internal import Synchronization

/// What the access part needs of the world.
package struct AccessPorts: Sendable {
    package var time: any TimeSource
    package var random: any RandomSource
    package var starter: any TaskStarter
    package var log: any RecordLog
    package var machines: any MachineSource
    package var checker: any AccessChecker
    package var accounts: any AccountRegistry
    package var grants: any GrantRegistry
    package var signIns: any SignInRegistry
    package var processes: any ProcessWatcher
    package var stamp: any StackStamp
    package var judge: any CertificateJudge
    package var revocation: any RevocationSource
    /// Nil: no sign-in with a code.
    package var devices: (any DeviceAuthority)?
    /// In the configured order.
    package var keySources: [any AuthorityKeySource]
    /// What `trusted_user_ca_keys` holds at the start; nil where it cannot be read.
    package var persistedKeys: [UInt8]?
    /// Replaces `trusted_user_ca_keys` as a whole, and returns when it is on disk.
    package var publishKeys: @Sendable ([UInt8]) async throws -> Void
    package var ender: any SessionEnder
    /// The keys of sshd's own copy of that file, which root keeps up to date; nil where there is none. Without this port
    /// sshd reads the file itself.
    package var sshdKeys: (@Sendable () -> [PublicKey]?)?

    package init(
        time: any TimeSource,
        random: any RandomSource,
        starter: any TaskStarter,
        log: any RecordLog,
        machines: any MachineSource,
        checker: any AccessChecker,
        accounts: any AccountRegistry,
        grants: any GrantRegistry,
        signIns: any SignInRegistry,
        processes: any ProcessWatcher,
        stamp: any StackStamp,
        judge: any CertificateJudge,
        revocation: any RevocationSource,
        devices: (any DeviceAuthority)? = nil,
        keySources: [any AuthorityKeySource],
        persistedKeys: [UInt8]?,
        publishKeys: @escaping @Sendable ([UInt8]) async throws -> Void,
        ender: any SessionEnder = NoSessionEnder(),
        sshdKeys: (@Sendable () -> [PublicKey]?)? = nil
    ) {
        self.time = time
        self.random = random
        self.starter = starter
        self.log = log
        self.machines = machines
        self.checker = checker
        self.accounts = accounts
        self.grants = grants
        self.signIns = signIns
        self.processes = processes
        self.stamp = stamp
        self.judge = judge
        self.revocation = revocation
        self.devices = devices
        self.keySources = keySources
        self.persistedKeys = persistedKeys
        self.publishKeys = publishKeys
        self.ender = ender
        self.sshdKeys = sshdKeys
    }
}

/// The parts that work together on one decision.
struct AccessParts: Sendable {
    let settings: AccessSettings
    let ports: AccessPorts
    let tally: DecisionTally
    let journal: DecisionJournal
    let membership: AdministratorMembership
    let ending: SessionEnding
    let authorizer: Authorizer
    let verified: VerifiedCertificates
    let signedIn: DeviceSignIns
    let sessions: OpenSessions
    let batch: BatchPeople
    let keyring: AuthorityKeyring
    let otherObjects = OtherObjects()
    /// Who held a grant when the daemon started, and until when: sessions of theirs may be open that it never saw.
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
            log: ports.log
        )
        ending = SessionEnding(ports, after: settings.endSessionsAfter)
        authorizer = Authorizer(
            settings: settings,
            machines: ports.machines,
            checker: ports.checker,
            grants: membership,
            ending: ending,
            time: ports.time,
            starter: ports.starter,
            log: ports.log
        )
        verified = VerifiedCertificates(watcher: ports.processes, lifetime: settings.loginGrace)
        signedIn = DeviceSignIns(lifetime: settings.loginGrace)
        sessions = OpenSessions()
        batch = BatchPeople(time: ports.time)
        keyring = AuthorityKeyring(ports, settings: keyringSettings)
        inherited = membership.current()
    }

    func isInherited(_ uid: PosixID) -> Bool { inherited[uid].map { ports.time.bootTime() < $0 } ?? false }

    /// When a grant on the strength of `ruling` ends: with the grace, where it rests on that.
    func grantExpiry(for ruling: Ruling) -> BootTime {
        let full = ports.time.bootTime().advanced(by: settings.grantLifetime)
        return ruling.graceEnds.map { min($0, full) } ?? full
    }

    /// Between nine tenths and the whole of `duration`: many machines started together do not ask together.
    func jittered(_ duration: Duration) -> Duration { ports.random.jitter(duration, atLeast: 0.9) }

    /// Lets go of what belongs to processes that are gone.
    func sweep() {
        verified.sweep(at: ports.time.bootTime())
        signedIn.sweep(at: ports.time.bootTime())
        sessions.sweep()
    }
}

extension RandomSource {
    /// A duration between `share` of `duration` and all of it.
    func jitter(_ duration: Duration, atLeast share: Double) -> Duration {
        let byte = Double(bytes(1).first ?? 0)
        return duration * (share + (1 - share) * byte / 255)
    }
}

/// Who may: everything that decides, put together.
package struct AccessControl: Sendable {
    package let certificateCheck: CertificateCheck
    package let deviceStage: DeviceStage
    package let accountStage: AccountStage
    package let sessionStage: SessionStage
    package let keyring: AuthorityKeyring
    package let authorizer: Authorizer
    package let explanation: SignInExplanation
    package let renewal: GrantRenewal
    package let batchRefresh: BatchRefresh
    package let ending: SessionEnding
    package let revokedSessions: RevokedSessions
    private let parts: AccessParts

    package init(
        _ ports: AccessPorts,
        settings: AccessSettings = AccessSettings(),
        keyring keyringSettings: KeyringSettings = KeyringSettings()
    ) {
        parts = AccessParts(ports, settings: settings, keyringSettings: keyringSettings)
        certificateCheck = CertificateCheck(parts)
        deviceStage = DeviceStage(parts)
        accountStage = AccountStage(parts)
        sessionStage = SessionStage(parts)
        keyring = parts.keyring
        authorizer = parts.authorizer
        explanation = SignInExplanation(parts)
        renewal = GrantRenewal(parts)
        batchRefresh = BatchRefresh(parts)
        ending = parts.ending
        revokedSessions = RevokedSessions(parts)
    }

    /// Starts what goes on in the background: the keyring, the renewal of grants, the refresh for batch services,
    /// the end of sessions whose certificate is revoked.
    package func start() {
        keyring.start()
        renewal.start()
        batchRefresh.start()
        revokedSessions.start()
    }

    /// What the certificate rules say now, for `entraloginctl check-certificate`. No effect on anybody; but an unknown CA
    /// has the keys fetched early. sshd looks at the CA before it asks us, so this is where a rotation is noticed first.
    package func judge(keyType: String, base64: String, for name: UserName) -> CertificateFinding {
        guard let machine = parts.ports.machines.current else { return .refused(Denial(.machineUnknown)) }
        let revoked: KeyRevocationList
        do throws(Denial) { revoked = try parts.keyring.revoked() } catch { return .refused(error) }
        let finding = parts.ports.judge.judge(
            keyType: keyType,
            base64: base64,
            for: name,
            at: parts.ports.time.wallTime(),
            authorities: parts.keyring.keys,
            revoked: revoked,
            tenant: machine.tenant
        )
        if case .unknownAuthority = finding { parts.keyring.noticeUnknownAuthority() }
        return finding
    }

    /// Takes records as the parts themselves do, so that other services' decisions are counted, too.
    package var log: any RecordLog { parts.tally }

    /// A fresh id for a question.
    package func correlationID() -> CorrelationID { parts.ports.random.correlationID() }

    /// The sessions that sshd opened since the start, oldest first.
    package func openSessions() -> [OpenSessions.Entry] { parts.sessions.list() }

    package func status() async -> AccessStatus {
        AccessStatus(
            lastHour: parts.tally.lastHour(),
            sinceStart: parts.tally.sinceStart(),
            cachedDecisions: await parts.authorizer.cachedCount,
            questionsUnderWay: await parts.authorizer.questionsUnderWay,
            openSessions: parts.sessions.count,
            administrators: parts.membership.current().count,
            verifiedProcesses: parts.verified.processCount,
            keyring: parts.keyring.status(),
            revocation: parts.keyring.revocationStatus
        )
    }
}
