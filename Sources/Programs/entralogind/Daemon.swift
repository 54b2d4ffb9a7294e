// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import Glibc
internal import Identity
internal import LinuxSystem
internal import Server
internal import Settings
internal import Synchronization
internal import Systemd
internal import Wire

/// The daemon's lifecycle: sockets, event loop, signals, watchdog messages, shutdown.
final class Daemon: Sendable {
    /// The longest pause between two beats of an idle daemon; shorter if half of systemd's watchdog interval is.
    private static let slowestBeat: Duration = .seconds(30)
    /// The timeout of one question about what this machine is.
    private static let longestWait: Duration = .seconds(10)
    /// The pause between two attempts to learn what this machine is.
    private static let pauseBetweenLooks: Duration = .seconds(1)
    /// The wait for records that have not reached the journal when the daemon ends.
    private static let longestFlush: Duration = .seconds(3)

    private let loop: EventLoop
    private let composition: Composition
    private let notifier = ServiceNotifier()
    private let isHousekeeping = Mutex(false)
    /// The settings at the start; most of them hold until the end.
    private let settings: EffectiveSettings
    private let settingsPath: String

    /// Runs until SIGTERM or SIGINT.
    static func run(_ settings: SettingsFiles.Outcome, path: String) throws {
        umask(0o077)
        SignalDescriptor.ignoreBrokenPipes()
        MemoryUsage.keepSmall()
        try MemoryUsage.keepPrivate()
        // First of all, so that threads that are started later take no signals.
        let signals = try SignalDescriptor()
        let loop = try EventLoop()
        let worker = try BlockingWorker(named: "disk")
        let level = LogPriority(rawValue: settings.values.log.level) ?? .information
        let log = try RecordWriter(threshold: level)
        let inherited = InheritedSockets.take()
        let sockets = inherited.filter { SocketKind(rawValue: $0.name) != nil }
        let stored = inherited.filter { SocketKind(rawValue: $0.name) == nil }
        let composition = try Composition(
            settings.values,
            loop: loop,
            worker: worker,
            log: log,
            sessions: StoredSessions(stored)
        )
        let daemon = Daemon(loop: loop, composition: composition, settings: settings, settingsPath: path)
        // Before anything is written: a second daemon fails here. No request is answered before the loop runs.
        try daemon.listen(sockets)
        composition.withdrawEarlierGroups()
        composition.accounts.load()
        try daemon.obey(signals)
    }

    private init(loop: EventLoop, composition: Composition, settings: EffectiveSettings, settingsPath: String) {
        self.loop = loop
        self.composition = composition
        self.settings = settings
        self.settingsPath = settingsPath
    }

    // MARK: Sockets

    /// Takes the sockets that systemd passed, or makes its own if systemd passed none.
    private func listen(_ inherited: [(name: String, descriptor: Int32)]) throws {
        let kinds: [(SocketKind, String, UInt32)] = [
            (.control, "/run/entralogin/control.sock", 0o600),
            (.principals, "/run/entralogin/principals.sock", 0o660),
        ]
        for (kind, path, mode) in kinds {
            let given = inherited.first { $0.name == kind.rawValue }
            let socket: UnixListener
            if let given {
                socket = try UnixListener(
                    adopting: Descriptor(takingOwnership: given.descriptor),
                    expectedPath: path
                )
            } else {
                socket = try UnixListener(makingAt: path, mode: mode)
            }
            try Listener(socket, kind: kind, loop: loop, router: composition.router).start()
        }
    }

    // MARK: Running

    private func obey(_ signals: consuming SignalDescriptor) throws {
        let box = SignalBox(signals)
        _ = try loop.watch(box.signals.descriptor, for: .readable) { [self] _ in
            while let signal = try? box.signals.next() { obey(signal) }
        }
        begin()
        loop.run()
    }

    private func begin() {
        composition.azure.machines.start()
        composition.access.start()
        loop.start { [self] in await learnMachine() }
        loop.start { [self] in await beat() }
        var record = DecisionRecord(.started, .information, "entralogind \(ProductVersion.text) is ready")
        record.detail = composition.accounts.report().fault
        composition.log.record(record)
        report(settings.remarks)
        notifier.ready(status: statusLine)
    }

    private func obey(_ signal: UnixSignal) {
        switch signal {
        case .hangUp: reload()
        case .interrupt, .terminate: stop()
        }
    }

    private func stop() {
        notifier.stopping()
        composition.log.record(DecisionRecord(.stopping, .information, "entralogind is stopping"))
        loop.start { [self] in
            await composition.accounts.flushSignIns()
            await flushRecords()
            loop.stop()
        }
    }

    /// Returns when no record waits for the journal, or after `longestFlush`.
    private func flushRecords() async {
        let deadline = SystemClock.sinceBoot() + Daemon.longestFlush
        while composition.log.report.waiting > 0, SystemClock.sinceBoot() < deadline {
            await loop.sleep(until: SystemClock.sinceBoot() + .milliseconds(20))
        }
    }

    /// Reads the settings again. `[Accounts]` takes effect at once, except `ProvisionalCallers=`; if that or another
    /// section has changed, the record says that it needs a restart. Invalid settings change nothing.
    private func reload() {
        notifier.reloading()
        loop.start { [self] in
            do {
                let read = try SettingsFiles.read(settingsPath)
                let mapsGroups = composition.groups != nil
                await composition.accounts.refresh(policy: .init(read.values.accounts, mapsGroups: mapsGroups))
                await composition.groups?.refresh(tenant: composition.azure.machines.current?.tenant)
                composition.azure.checker.forget()
                composition.held.reload(read.values.accounts)
                composition.log.record(reloaded(read.values))
                report(read.remarks)
            } catch {
                composition.log.record(
                    DecisionRecord(.settingsRejected, .error, "Settings not taken, the old ones stay: \(error)")
                )
            }
            notifier.ready(status: statusLine)
        }
    }

    private func report(_ remarks: [SettingsProblem]) {
        for remark in remarks {
            composition.log.record(DecisionRecord(.settingsIgnored, .warning, "\(remark)"))
        }
    }

    private func reloaded(_ read: Settings) -> DecisionRecord {
        let settings = self.settings.values
        let changed = [
            (read.azure != settings.azure, "[Azure]"), (read.keys != settings.keys, "[Keys]"),
            (read.signIn != settings.signIn, "[SignIn]"),
            (read.deviceSignIn != settings.deviceSignIn, "[DeviceSignIn]"),
            (read.groups != settings.groups, "[Groups]"),
            (read.log != settings.log, "[Log]"),
            (read.accounts.provisionalCallers != settings.accounts.provisionalCallers, "ProvisionalCallers="),
        ].filter(\.0).map(\.1)
        guard !changed.isEmpty else { return DecisionRecord(.reloaded, .information, "Settings read again") }
        let places = changed.joined(separator: ", ")
        return DecisionRecord(.reloaded, .warning, "Settings read again; restart entralogind for \(places) to hold")
    }

    private var statusLine: String {
        if let fault = composition.accounts.report().fault { return "No Entra account can sign in: \(fault)" }
        guard let machine = composition.azure.machines.current else { return "Waiting for the metadata service" }
        return "Serving \(machine.name) of tenant \(machine.tenant)"
    }

    // MARK: Housekeeping

    /// No new user can sign in before the tenant is known: tells the accounts as soon as it is.
    private func learnMachine() async {
        while composition.azure.machines.current == nil {
            let deadline = composition.time.bootTime().advanced(by: Daemon.longestWait)
            _ = try? await composition.azure.machines.machine(by: deadline)
            if composition.azure.machines.current == nil {
                await loop.sleep(until: SystemClock.sinceBoot() + Daemon.pauseBetweenLooks)
            }
        }
        guard let machine = composition.azure.machines.current else { return }
        composition.accounts.update(tenant: machine.tenant)
        await composition.groups?.refresh(tenant: machine.tenant)
        notifier.status(statusLine)
        // Compares what Entra says of its own cloud with the table: the status shows a disagreement.
        let deadline = composition.time.bootTime().advanced(by: Daemon.longestWait)
        try? await composition.azure.clouds.learn(about: machine, by: deadline)
    }

    /// One timer for watchdog messages and housekeeping: an idle daemon wakes up for nothing else. A watchdog message
    /// does not wait for the disk.
    private func beat() async {
        // An unrequested message would fill the socket of a manager that does not read it, and then block.
        let watchdogInterval = notifier.watchdogInterval
        let slowest = min(watchdogInterval ?? Daemon.slowestBeat, Daemon.slowestBeat)
        var pace = HousekeepingPace(at: SystemClock.sinceBoot())
        while true {
            if watchdogInterval != nil { notifier.watchdog() }
            let now = SystemClock.sinceBoot()
            if pace.isDue(at: now, requests: composition.router.requests.value, hasNews: hasNews) { beginRound() }
            await loop.sleep(until: now + pace.pause(at: now, slowest: slowest))
        }
    }

    private var hasNews: Bool {
        composition.accounts.hasNews
            || composition.changes.isNews(
                machine: composition.azure.machines.current,
                integration: composition.stamp.refusal()
            )
    }

    /// Does nothing if the last round still waits for the disk.
    private func beginRound() {
        let mayBegin = isHousekeeping.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard mayBegin else { return }
        loop.start { [self] in
            await keepHouse()
            isHousekeeping.withLock { $0 = false }
        }
    }

    private func keepHouse() async {
        composition.accounts.update(tenant: composition.azure.machines.current?.tenant)
        composition.changes.look(
            machine: composition.azure.machines.current,
            integration: composition.stamp.refusal(),
            accounts: await composition.accounts.refresh()
        )
        await composition.accounts.flushSignIns()
        await composition.groups?.refresh(tenant: composition.azure.machines.current?.tenant)
        MemoryUsage.giveBack()
    }
}

/// Keeps the signal descriptor alive as long as its watch.
private final class SignalBox: Sendable {
    let signals: SignalDescriptor

    init(_ signals: consuming SignalDescriptor) { self.signals = signals }
}
