// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import CWire
internal import Glibc
internal import HTTPTransport
internal import Identity
internal import Integration
internal import Libcrypto
internal import LinuxSystem
internal import OpenSSHCertificates
internal import Server
internal import Settings
internal import Systemd
internal import Wire

/// Where the files are (ARCHITECTURE.md, Interfaces). The systemd units name the same paths.
enum Paths {
    static let state = "/var/lib/entralogin"
    static let machine = "\(state)/machine"
    static let authorityKeys = AuthorityCopy.source
    static let grants = "/run/entralogin/nss/grants.snapshot"
    /// Who is in which Entra group; only if `[Groups]` has lines.
    static let groups = "/run/entralogin/nss/groups.snapshot"
    /// The permanent numbers of those groups.
    static let groupNumbers = "\(state)/groups"
    static let groupMark = "\(state)/groups-given"
    static let answered = ENTRALOGIN_ANSWERED
    /// Replaced at each change of the accounts, for entralogin-subids.path; only with SubordinateIDs=yes.
    static let changed = "/run/entralogin/nss/changed"
    static let passwd = "/etc/passwd"
    static let auditEvents = "/run/entralogin/audit.sock"
}

/// The daemon's parts, put together once. Nothing here makes decisions.
struct Composition: Sendable {
    let time: LoopTime
    let accounts: AccountDirectory
    /// Nil if `[Groups]` is empty.
    let groups: EntraGroups?
    let azure: AzureConnection
    let access: AccessControl
    let stamp: any StackStamp
    let router: RequestRouter
    let changes: ChangeRecords
    let log: RecordWriter
    let held: HeldSettings

    init(
        _ settings: Settings,
        loop: EventLoop,
        worker: BlockingWorker,
        log: RecordWriter,
        sessions: any SessionKeeper
    ) throws {
        let time = LoopTime(loop: loop)
        let tasks = LoopTasks(loop: loop)
        let random = KernelRandom()
        let processes = LiveProcesses()
        stamp = StackStampReader(version: ProductVersion.text)
        let grants = AdministratorGrants(
            file: AtomicFile(Paths.grants),
            boot: try Composition.bootID(),
            clock: time
        )
        let holders = try BlockingWorker(named: "names")
        groups = try Composition.groups(settings, time: time, worker: worker, holders: holders)
        let groups = groups
        accounts = AccountDirectory(
            paths: .init(),
            policy: AccountPolicy(settings.accounts, mapsGroups: groups != nil),
            grants: grants,
            environment: .init(
                clock: time,
                random: random,
                offload: { work in await worker.run(work) },
                holder: { number in
                    await Composition.holder(by: holders) { NameServiceQuery().holder(of: number, until: $0) }
                },
                nameHolder: { name in
                    await Composition.holder(by: holders) { NameServiceQuery().number(of: name, until: $0) }
                },
                announceChange: { try? AtomicFile(Paths.changed).replace(with: [], mode: 0o644) },
                groups: groups
            )
        )
        let accounts = accounts
        let audit = AuditTrail(to: log, isOn: settings.log.audit, path: Paths.auditEvents) {
            accounts.administratorsGroupName
        }
        azure = try Composition.azure(settings, time: time, random: random, tasks: tasks, worker: worker) { objectID in
            // A service principal's account has its object id as its name.
            accounts.view().allEnrolled().contains { $0.identity.objectID == objectID && $0.account.name.domain != nil }
        }
        access = AccessControl(
            AccessPorts(
                time: time,
                random: random,
                starter: tasks,
                log: audit,
                machines: azure.machines,
                checker: azure.checker,
                accountChecker: azure.directory,
                groups: Composition.groupPorts(groups, azure.memberships),
                accounts: accounts,
                grants: grants,
                signIns: accounts,
                processes: processes,
                stamp: stamp,
                certificates: CertificateVerifier(settings.signIn),
                revocation: settings.keys.revokedKeys.map { RevokedKeysFile(path: $0, time: time) } ?? NothingRevoked(),
                devices: Composition.devices(settings, azure),
                keySources: Composition.keySources(settings.keys, azure),
                persistedKeys: try? AtomicFile(Paths.authorityKeys).read(limit: 1 << 20, requiring: .ownOrRoots),
                bootID: try SystemClock.bootID(),
                publishKeys: { bytes in
                    try await worker.run { try AtomicFile(Paths.authorityKeys).replace(with: bytes, mode: 0o644) }
                },
                ender: try EndSessionsClient(),
                keeper: sessions,
                announceAnswer: {
                    tasks.start {
                        await worker.run { try? AtomicFile(Paths.answered).replace(with: [], mode: 0o644) }
                    }
                },
                sshdKeys: { AuthorityCopy().keys() }
            ),
            settings: AccessSettings(settings.signIn, settings.deviceSignIn)
        )
        let held = HeldSettings(settings)
        let names = NameService(registry: accounts, provisionalCallers: settings.accounts.provisionalCallers)
        let sources = ReportSources(
            access: access,
            accounts: accounts,
            grants: grants,
            azure: azure,
            stamp: stamp,
            time: time,
            startedAt: time.wallTime().seconds,
            audit: { audit.report },
            records: { log.report },
            settings: { held.report }
        )
        changes = ChangeRecords(log: access.log, registry: accounts)
        router = RequestRouter(
            policy: CallerPolicy(helperUID: Composition.uid(of: "entralogin-ssh")),
            services: RoutedServices(
                lookUp: names.look(up:for:),
                checkCertificate: access.certificateCheck.check,
                authorize: access.accountStage.decide(_:callerPID:),
                openSession: access.sessionStage.open(_:callerPID:),
                closeSession: access.sessionStage.close(user:uid:callerPID:),
                beginDevice: access.deviceStage.begin(_:callerPID:),
                awaitDevice: access.deviceStage.wait(_:callerPID:),
                report: ReportService(sources).answer
            ),
            wholeName: { text in accounts.wholeName(of: text) }
        )
        self.time = time
        self.log = log
        self.held = held
    }

    /// Nil if no Entra group is to be a Unix group.
    private static func groups(
        _ settings: Settings,
        time: LoopTime,
        worker: BlockingWorker,
        holders: BlockingWorker
    ) throws -> EntraGroups? {
        guard !settings.groups.isEmpty else { return nil }
        return EntraGroups(
            settings.groups,
            store: GroupNumberStore(AtomicFile(Paths.groupNumbers), mark: GroupNumberMark(AtomicFile(Paths.groupMark))),
            file: AtomicFile(Paths.groups),
            environment: .init(
                clock: time,
                boot: try bootID(),
                offload: { work in await worker.run(work) },
                local: AccountDirectory.localAccounts(.init()),
                numberHolder: { number in
                    await holder(by: holders) { NameServiceQuery().holder(of: number, until: $0) }
                },
                nameHolder: { name in
                    await holder(by: holders) { NameServiceQuery().number(of: name, until: $0) }
                }
            )
        )
    }

    /// Without `[Groups]`, withdraws what an earlier daemon published of them. The file is emptied, not removed:
    /// systemd loses changes of the files beside a missing one (entralogin-caches.path). An empty file is left alone.
    func withdrawEarlierGroups() {
        guard groups == nil else { return }
        let file = AtomicFile(Paths.groups)
        if let found = try? file.read(limit: 1), found.isEmpty { return }
        do {
            try file.replace(with: [], mode: 0o644)
        } catch {
            try? file.remove()
        }
    }

    private static func groupPorts(_ registry: EntraGroups?, _ checker: GraphDirectory?) -> GroupPorts? {
        guard let registry, let checker else { return nil }
        return GroupPorts(checker: checker, registry: registry)
    }

    /// How long other directories may take to say whose a number is: within PAM's deadline, and longer than a
    /// directory's own client waits for a slow server.
    private static let holderTimeout: Duration = .seconds(5)

    /// On its own thread, so that a directory that hangs does not block disk work. The wait for the thread counts, too.
    private static func holder(
        by worker: BlockingWorker,
        _ ask: @escaping @Sendable (_ deadline: Duration) -> NameServiceQuery.Answer
    ) async -> NumberHolder {
        let deadline = SystemClock.sinceBoot() + holderTimeout
        switch await worker.run({ ask(deadline) }) {
        case .nobody: return .nobody
        case .somebody(let holder): return .somebody(holder)
        case .unknown(let reason): return .unknown(reason)
        }
    }

    private static func bootID() throws -> BootID {
        guard let boot = BootID(try SystemClock.bootID()) else { throw Errno.invalidArgument }
        return boot
    }

    private static func azure(
        _ settings: Settings,
        time: LoopTime,
        random: KernelRandom,
        tasks: LoopTasks,
        worker: BlockingWorker,
        isKnownUser: @escaping @Sendable (ObjectID) -> Bool
    ) throws -> AzureConnection {
        let transport = try CurlTransport(
            CurlOptions(
                userAgent: "entralogin/\(ProductVersion.text)",
                certificateAuthorities: settings.azure.authoritiesFile
            )
        )
        let environment = AzureEnvironment(
            transport: transport,
            time: time,
            random: random,
            tasks: tasks,
            proxy: HTTPProxy(settings.azure)
        )
        var endpoints = AzureEndpoints(settings.azure)
        let named = HybridMetadataClient.address(named: getenv("IMDS_ENDPOINT").map { String(cString: $0) })
        if let named { endpoints.hybridMetadata = named }
        return AzureConnection(
            environment,
            endpoints: endpoints,
            metadata: metadata(settings.azure, agentIsNamed: named != nil, worker: worker),
            order: settings.azure.accessCheckers,
            confirmsRefusals: settings.azure.confirmRefusals,
            checksAccounts: settings.azure.checkAccountEnabled,
            mapsGroups: !settings.groups.isEmpty,
            isKnownUser: isKnownUser,
            store: MachineStore(
                load: { try? AtomicFile(Paths.machine).read(limit: 1 << 16, requiring: .ownOrRoots) },
                save: { bytes in
                    await worker.run { try? AtomicFile(Paths.machine).replace(with: bytes, mode: 0o600) }
                }
            ),
            tenant: settings.azure.tenantID
        )
    }

    /// An Arc server if its agent is installed, or named in the environment (azure.md, "Azure Arc"); otherwise a
    /// virtual machine.
    private static func metadata(
        _ azure: Settings.Azure,
        agentIsNamed: Bool,
        worker: BlockingWorker
    ) -> MetadataChoice {
        let isArc = agentIsNamed || HybridMetadataClient.agentPaths.contains { (try? FileStamp(of: $0)) != nil }
        guard isArc else { return .instance(clientID: azure.clientID) }
        return .hybrid(keyOwners: Set([0] + [uid(of: "himds")].compactMap(\.self))) { port in
            await worker.run { TCPListeners.owners(ofLoopbackPort: port) }
        }
    }

    /// Nil if sign-in with a code is off.
    private static func devices(_ settings: Settings, _ azure: AzureConnection) -> (any DeviceAuthority)? {
        settings.deviceSignIn.clientID.map { clientID in
            azure.deviceAuthority(
                clientID: clientID,
                clockSkew: settings.signIn.clockSkew,
                signatures: LibcryptoSignatureVerifier()
            )
        }
    }

    private static func keySources(_ keys: Settings.Keys, _ azure: AzureConnection) -> [any AuthorityKeySource] {
        keys.sources.flatMap { source -> [any AuthorityKeySource] in
            guard source == .file else { return azure.keySources(source) }
            return keys.file.map { [FileKeySource(path: $0)] } ?? []
        }
    }

    /// A uid from the local files: this process never asks the name service, which would ask the daemon.
    private static func uid(of name: String) -> UInt32? {
        guard let bytes = try? AtomicFile(Paths.passwd).read(limit: 1 << 24, requiring: .none) else { return nil }
        return LocalAccounts.uid(of: name, in: bytes)
    }
}
