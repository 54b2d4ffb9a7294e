// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import InFlight
package import OpenSSHCertificates
internal import Synchronization

/// The intervals and limits of the keyring.
package struct KeyringSettings: Hashable, Sendable {
    /// How long a key stays after its source last listed it, by CLOCK_BOOTTIME: Microsoft's rule for validators
    /// (azure.md, "CA keys"). The administrator's own file has no overlap: a key removed there is dropped at once.
    package var overlap: Duration = .seconds(86_400)
    /// How long an answer is kept. The source may shorten it, never lengthen it: Microsoft's rule for validators is
    /// every hour (azure.md, "CA keys").
    package var refreshInterval: Duration = .seconds(3600)
    /// A shorter lifetime of an answer counts as this.
    package var shortestInterval: Duration = .seconds(60)
    /// How often the administrator's files are checked.
    package var fileInterval: Duration = .seconds(60)
    /// sshd's file is not rewritten if only the time of confirmation changed, by less than this.
    package var timeStep: Duration = .seconds(3600)
    /// Pause after a failed fetch; doubled with each further failure, up to `longestRetryInterval`.
    package var retryInterval: Duration = .seconds(15)
    package var longestRetryInterval: Duration = .seconds(900)
    /// Shortest time between two early refreshes; a certificate that names an unknown CA causes them.
    package var earlyInterval: Duration = .seconds(300)
    /// The alarm is raised when no source has confirmed its keys for this long.
    package var staleAge: Duration = .seconds(36 * 3600)
    /// How long one fetch may take.
    package var fetchTimeout: Duration = .seconds(30)

    package init() {}
}

/// The CA keys that sshd and the certificate check trust: fetched, merged, published, and never lost to an outage.
package final class AuthorityKeyring: Sendable {
    struct SourceState {
        var nextAt: BootTime
        var failures = 0
        var fault: AccessCheckFault?
        /// Since the daemon's start; before that, none of its keys expires.
        var hasAnswered = false
    }

    struct State {
        var trusted: TrustedKeys
        var keys: [PublicKey] = []
        var sources: [String: SourceState] = [:]
        /// The refresh that is under way.
        var running: PendingOutcome<Bool>?
        var lastEarly: BootTime?
        var published: [UInt8]?
        var publicationFault: String?
        var lastAlarm: BootTime?
        /// Since the start: how often a source left a key out, and listed one again.
        var vanished = 0
        var returned = 0
    }

    /// The source that is a file of this machine.
    static let file = "file"

    private let sources: [any AuthorityKeySource]
    let order: [String]
    let settings: KeyringSettings
    let ports: AccessPorts
    let revocations: RevocationWatch
    let state: Mutex<State>

    /// Starts with the keys that were published last, so that users can sign in after a restart during an outage.
    init(_ ports: AccessPorts, settings: KeyringSettings) {
        self.ports = ports
        self.settings = settings
        revocations = RevocationWatch(ports.revocation, log: ports.log)
        sources = ports.keySources
        order = sources.map(\.name)
        let now = ports.time.bootTime()
        let stamp = TrustedKeys.Stamp(boot: ports.bootID, writtenAt: now)
        let trusted = TrustedKeys(reading: ports.persistedKeys ?? [], sources: order, now: stamp)
        var state = State(trusted: trusted, keys: trusted.keys(inOrderOf: order), published: ports.persistedKeys)
        for name in order { state.sources[name] = SourceState(nextAt: now) }
        self.state = Mutex(state)
    }

    /// The trusted keys, in the order of the sources. Empty before the first valid answer ever.
    package var keys: [PublicKey] { state.withLock { $0.keys } }

    /// The keys of each source, in the same order.
    package var held: [TrustedKeys.Held] {
        let held = state.withLock { $0.trusted.held }
        return order.flatMap { name in held.filter { $0.source == name } }
    }

    /// The administrator's current revocation list. A change takes effect at once, here and for sshd. Throws if a list
    /// is configured but unusable.
    func revoked() throws(Denial) -> KeyRevocationList {
        let (list, isNews) = try revocations.current()
        if isNews { ports.starter.start { _ = await self.refresh(.due) } }
        return list
    }

    /// Nil if no list is configured.
    var revocationStatus: AccessStatus.Revocation? { revocations.status }

    /// Fetches each source when it is due, until the task is cancelled.
    package func start() {
        ports.starter.start {
            while !Task.isCancelled {
                _ = await self.refresh(.due)
                self.raiseAlarm()
                await self.ports.time.sleep(until: self.nextWake)
            }
        }
    }

    /// Fetches every source now, unless a refresh is running.
    package func refresh() async { _ = await refresh(.all) }

    /// Waits for a running refresh, then fetches every source. Returns false if that has not ended by `deadline`; a
    /// fetch that has begun goes on.
    package func refreshed(by deadline: BootTime) async -> Bool {
        let done = PendingOutcome<Bool>()
        ports.starter.start {
            while !(await self.refresh(.all)) {
                let running = self.state.withLock { $0.running }
                _ = await running?.outcome(by: deadline, on: self.ports.time)
                guard self.ports.time.bootTime() < deadline else { return }
            }
            done.finish(with: true)
        }
        return await done.outcome(by: deadline, on: ports.time) ?? false
    }

    /// The sources whose last fetch failed, and why.
    package var faults: [(source: String, fault: AccessCheckFault)] {
        state.withLock { state in
            order.compactMap { name in state.sources[name]?.fault.map { (source: name, fault: $0) } }
        }
    }

    /// A certificate named an unknown CA: the keys may have been rotated. Starts a refresh, but rarely, because anyone
    /// can make such a certificate; the refresh writes the file only if the keys changed.
    package func noticeUnknownAuthority() {
        let now = ports.time.bootTime()
        let mayBegin = state.withLock { state in
            if let last = state.lastEarly, last.duration(to: now) < settings.earlyInterval { return false }
            state.lastEarly = now
            return true
        }
        if mayBegin { ports.starter.start { _ = await self.refresh(.early) } }
    }
}

// MARK: - Fetching

extension AuthorityKeyring {
    private enum Occasion {
        /// A source is due, or the administrator's revocation list has changed.
        case due
        case all
        case early
    }

    /// Returns false, and fetches nothing, if another refresh is running.
    private func refresh(_ occasion: Occasion) async -> Bool {
        let mine = PendingOutcome<Bool>()
        let begins = state.withLock { state in
            guard state.running == nil else { return false }
            state.running = mine
            return true
        }
        guard begins else { return false }
        defer {
            state.withLock { $0.running = nil }
            mine.finish(with: true)
        }
        for source in sources {
            let now = ports.time.bootTime()
            let due = state.withLock { ($0.sources[source.name]?.nextAt ?? now) <= now }
            if due || occasion != .due { await fetch(source, isAwaited: occasion != .due) }
        }
        // An error is ignored here: every sign-in checks the list itself, and sshd's file uses the last usable one.
        _ = try? revocations.current()
        await publish(timeCounts: occasion != .early)
        return true
    }

    /// Tries once if keys are held and no caller waits: the next scheduled fetch is the retry.
    private func fetch(_ source: any AuthorityKeySource, isAwaited: Bool) async {
        let deadline = ports.time.bootTime().advanced(by: settings.fetchTimeout)
        do throws(AccessCheckFault) {
            let answer = try await source.fetch(by: deadline, retrying: isAwaited || keys.isEmpty)
            guard !answer.keys.isEmpty, answer.keys.count <= TrustedKeys.Limit.perSource else {
                throw AccessCheckFault(.malformedAnswer, of: source.name, detail: "\(answer.keys.count) keys")
            }
            take(answer, from: source.name)
        } catch {
            note(error, from: source.name)
        }
    }

    private func take(_ answer: AuthorityKeys, from name: String) {
        let lifetime = min(answer.lifetime ?? settings.refreshInterval, settings.refreshInterval)
        let pause =
            name == Self.file
            ? settings.fileInterval
            : ports.random.jitter(max(lifetime, settings.shortestInterval), atLeast: 0.8)
        let (wall, now) = (ports.time.wallTime(), ports.time.bootTime())
        state.withLock { state in
            let moment = TrustedKeys.Moment(wall: wall, boot: now)
            let change = state.trusted.take(answer.keys, from: name, at: moment, overlap: overlap(of: name))
            state.vanished += change.vanished
            state.returned += change.returned
            state.keys = state.trusted.keys(inOrderOf: order)
            state.sources[name] = SourceState(nextAt: now.advanced(by: pause), hasAnswered: true)
        }
    }

    private func note(_ fault: AccessCheckFault, from name: String) {
        let now = ports.time.bootTime()
        // A fleet that lost the same host together must not come back to it together.
        let asked = ports.random.jitter((fault.retryAfter ?? .zero) * 1.2, atLeast: 1 / 1.2)
        let share = ports.random.jitter(.seconds(1), atLeast: 0.7) / .seconds(1)
        let isFirst = state.withLock { state in
            var source = state.sources[name] ?? SourceState(nextAt: now)
            source.failures = min(source.failures + 1, 16)
            let doubled = settings.retryInterval * (1 << (source.failures - 1))
            let pause = max(min(doubled, settings.longestRetryInterval) * share, asked)
            source.nextAt = now.advanced(by: min(pause, name == Self.file ? settings.fileInterval : .seconds(86_400)))
            let isFirst = source.fault?.reason != fault.reason
            source.fault = fault
            state.sources[name] = source
            // A key whose overlap has passed must not live on because its source is silent now.
            if source.hasAnswered { state.trusted.expire(source: name, at: now, overlap: overlap(of: name)) }
            state.keys = state.trusted.keys(inOrderOf: order)
            return isFirst
        }
        guard isFirst else { return }
        var record = DecisionRecord(.fault, .warning, "CA keys not fetched from \(name): \(fault.reason.text)")
        record.reason = fault.reason
        record.detail = fault.detail
        ports.log.record(record)
    }

    private func overlap(of source: String) -> Duration { source == Self.file ? .zero : settings.overlap }

    /// When the next task is due: a fetch, the staleness check, or a check of the administrator's list.
    private var nextWake: BootTime {
        let now = ports.time.bootTime()
        let next =
            state.withLock { $0.sources.values.map(\.nextAt).min() } ?? now.advanced(by: settings.refreshInterval)
        let soonest = now.advanced(by: .seconds(1))
        let latest = revocations.isConfigured ? settings.fileInterval : .seconds(3600)
        return min(max(next, soonest), now.advanced(by: latest))
    }
}
