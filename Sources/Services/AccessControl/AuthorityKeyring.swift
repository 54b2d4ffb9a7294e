// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
package import OpenSSHCertificates
internal import Synchronization

/// The numbers of the keyring.
package struct KeyringSettings: Hashable, Sendable {
    /// How long a key stays after its source left it out: as long as a certificate may live. The administrator's own
    /// file has none: what is taken out there goes at once.
    package var overlap: Duration = .seconds(86_400)
    /// How long an answer is kept. The source may shorten it, never lengthen it: Microsoft's rule for validators is every
    /// hour (contract, chapter 6).
    package var refreshInterval: Duration = .seconds(3600)
    /// Nothing is fetched more often than this.
    package var shortestInterval: Duration = .seconds(60)
    /// The administrator's files are looked at so often.
    package var fileInterval: Duration = .seconds(60)
    /// The file for sshd is not written anew where only the time of confirmation is another, by less than this.
    package var timeStep: Duration = .seconds(3600)
    /// After a fault: doubled with each further one, up to the longest.
    package var retryInterval: Duration = .seconds(15)
    package var longestRetryInterval: Duration = .seconds(900)
    /// An early refresh, because a certificate names an unknown CA, happens no more often.
    package var earlyInterval: Duration = .seconds(300)
    /// The alarm: no source has confirmed its keys for so long.
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
    }

    struct State {
        var trusted: TrustedKeys
        var keys: [PublicKey] = []
        var sources: [String: SourceState] = [:]
        var isRefreshing = false
        var lastEarly: BootTime?
        var published: [UInt8]?
        var publicationFault: String?
        var lastAlarm: BootTime?
    }

    /// The source that is a file of this machine.
    static let file = "file"

    private let sources: [any AuthorityKeySource]
    let order: [String]
    let settings: KeyringSettings
    let ports: AccessPorts
    let revocations: RevocationWatch
    let state: Mutex<State>

    /// Trusts from the start what was published last, so that an outage or a restart takes nobody's sign-in.
    init(_ ports: AccessPorts, settings: KeyringSettings) {
        self.ports = ports
        self.settings = settings
        revocations = RevocationWatch(ports.revocation, log: ports.log)
        sources = ports.keySources
        order = sources.map(\.name)
        let trusted = TrustedKeys(reading: ports.persistedKeys ?? [], sources: order)
        let now = ports.time.bootTime()
        var state = State(trusted: trusted, keys: trusted.keys(inOrderOf: order), published: ports.persistedKeys)
        for name in order { state.sources[name] = SourceState(nextAt: now) }
        self.state = Mutex(state)
    }

    /// What is trusted now, in the order of the sources. Empty before the first good answer ever.
    package var keys: [PublicKey] { state.withLock { $0.keys } }

    /// The same with where each comes from, in the same order.
    package var held: [TrustedKeys.Held] {
        let held = state.withLock { $0.trusted.held }
        return order.flatMap { name in held.filter { $0.source == name } }
    }

    /// What the administrator has revoked, as of now: a change counts at once, here and for sshd. Throws where there is
    /// to be a list and none can be used.
    func revoked() throws(Denial) -> KeyRevocationList {
        let (list, isNews) = try revocations.current()
        if isNews { ports.starter.start { await self.refresh(.due) } }
        return list
    }

    /// Nil where no list is configured.
    var revocationStatus: AccessStatus.Revocation? { revocations.status }

    /// Fetches each source when its time has come, until the task is cancelled.
    package func start() {
        ports.starter.start {
            while !Task.isCancelled {
                await self.refresh(.due)
                self.raiseAlarm()
                await self.ports.time.sleep(until: self.nextWake)
            }
        }
    }

    /// Fetches every source now, unless that is being done.
    package func refresh() async { await refresh(.all) }

    /// A certificate named a CA that is not here: perhaps the keys were rotated. Begins a refresh, but not often, for
    /// anybody can make such a certificate; and for that nothing is written unless the keys are others.
    package func noticeUnknownAuthority() {
        let now = ports.time.bootTime()
        let mayBegin = state.withLock { state in
            if let last = state.lastEarly, last.duration(to: now) < settings.earlyInterval { return false }
            state.lastEarly = now
            return true
        }
        if mayBegin { ports.starter.start { await self.refresh(.early) } }
    }
}

// MARK: - Fetching

extension AuthorityKeyring {
    private enum Occasion {
        /// Some time has come, or a list of the administrator's has changed.
        case due
        case all
        case early
    }

    private func refresh(_ occasion: Occasion) async {
        let begins = state.withLock { state in
            defer { state.isRefreshing = true }
            return !state.isRefreshing
        }
        guard begins else { return }
        defer { state.withLock { $0.isRefreshing = false } }
        for source in sources {
            let now = ports.time.bootTime()
            let due = state.withLock { ($0.sources[source.name]?.nextAt ?? now) <= now }
            if due || occasion != .due { await fetch(source) }
        }
        // Whoever is next at sshd's door is held to the list; here it matters for sshd's file alone.
        _ = try? revocations.current()
        await publish(timeCounts: occasion != .early)
    }

    private func fetch(_ source: any AuthorityKeySource) async {
        let deadline = ports.time.bootTime().advanced(by: settings.fetchTimeout)
        do throws(AccessCheckFault) {
            let answer = try await source.fetch(by: deadline)
            guard !answer.keys.isEmpty, answer.keys.count <= TrustedKeys.Limit.perSource else {
                throw AccessCheckFault(.malformedAnswer, detail: "\(source.name): \(answer.keys.count) keys")
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
            state.trusted.take(answer.keys, from: name, at: wall, overlap: overlap(of: name))
            state.keys = state.trusted.keys(inOrderOf: order)
            state.sources[name] = SourceState(nextAt: now.advanced(by: pause))
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
            state.trusted.expire(source: name, at: ports.time.wallTime(), overlap: overlap(of: name))
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

    /// When something is due again: a fetch, the look for staleness, or one at the administrator's list.
    private var nextWake: BootTime {
        let now = ports.time.bootTime()
        let next =
            state.withLock { $0.sources.values.map(\.nextAt).min() } ?? now.advanced(by: settings.refreshInterval)
        let soonest = now.advanced(by: .seconds(1))
        let latest = revocations.isConfigured ? settings.fileInterval : .seconds(3600)
        return min(max(next, soonest), now.advanced(by: latest))
    }
}
