// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
internal import Libcrypto
internal import OpenSSHCertificates
internal import Synchronization

extension AuthorityKeyring {
    /// Replaces the file if its content changes. No source's answer can empty it; revoked keys are left out, even if
    /// none remains. Unless `timeCounts`, a newer time of confirmation is not a change.
    func publish(timeCounts: Bool) async {
        let rule = RevocationRule(list: revocations.lastGood, digests: LibcryptoDigests())
        let stamp = TrustedKeys.Stamp(boot: ports.bootID, writtenAt: ports.time.bootTime())
        let (bytes, keys) = state.withLock { state -> ([UInt8]?, [PublicKey]) in
            guard !state.keys.isEmpty else { return (nil, []) }
            let published = TrustedKeys(reading: state.published ?? [], sources: order, now: stamp)
            let trusted = state.trusted
                .keepingTimes(of: published, within: timeCounts ? settings.timeStep : nil)
                .without { rule.check($0) != .satisfied }
            // Nor is a newer time of writing. Another boot is a change: the times count from its start.
            let earlier = TrustedKeys.Stamp(in: state.published ?? [])
            let keys = trusted.keys(inOrderOf: order)
            if let earlier, earlier.isSameBoot(as: stamp),
                trusted.bytes(inOrderOf: order, stamp: earlier) == state.published
            {
                return (nil, keys)
            }
            return (trusted.bytes(inOrderOf: order, stamp: stamp), keys)
        }
        guard let bytes else { return }
        var problem: String?
        do { try await ports.publishKeys(bytes) } catch { problem = DecisionJournal.bounded("\(error)", 512) }
        let (before, isNews) = state.withLock { state in
            let before = TrustedKeys(reading: state.published ?? [], sources: order, now: stamp).keys(inOrderOf: order)
            // If only times differ, sshd already trusts the right keys.
            let differs = Set(before) != Set(keys)
            let isNews = differs && (problem == nil || state.publicationFault == nil)
            state.publicationFault = differs ? problem : nil
            if problem == nil { state.published = bytes }
            return (before, isNews)
        }
        guard isNews else { return }
        let message =
            problem == nil
            ? "CA keys published: \(keys.count), before: \(before.count)"
            : "CA keys could not be published: sshd trusts the \(before.count) that it had"
        var record = DecisionRecord(.keysPublished, problem == nil ? .notice : .error, message)
        record.detail = problem
        ports.log.record(record)
    }

    /// Records once a day that the keys are stale.
    func raiseAlarm() {
        let now = ports.time.bootTime()
        let (stale, age) = staleness()
        let raises = state.withLock { state in
            guard stale else {
                state.lastAlarm = nil
                return false
            }
            if let last = state.lastAlarm, last.duration(to: now) < .seconds(86_400) { return false }
            state.lastAlarm = now
            return true
        }
        guard raises else { return }
        let since = age.map { "for \($0) seconds" } ?? "ever"
        let message = "No source has confirmed the CA keys \(since): new ones of Entra's are not trusted"
        ports.log.record(DecisionRecord(.keysStale, .error, message))
    }

    /// A local file cannot confirm Entra's keys; it counts only if there is no other source.
    private func staleness() -> (isStale: Bool, age: Int64?) {
        let wall = ports.time.wallTime()
        let remote = order.filter { $0 != Self.file }
        let sources = remote.isEmpty ? order : remote
        guard let confirmed = state.withLock({ $0.trusted.confirmedAt(by: sources) }) else { return (true, nil) }
        let age = max(0, wall.seconds - confirmed.seconds)
        return (age > settings.staleAge.components.seconds, age)
    }

    package func status() -> AccessStatus.Keyring {
        let (stale, age) = staleness()
        let wall = ports.time.wallTime()
        let copied = ports.sshdKeys.flatMap { $0() }.map { Set($0) }
        let stamp = TrustedKeys.Stamp(boot: ports.bootID, writtenAt: ports.time.bootTime())
        return state.withLock { state in
            let trusted = state.trusted
            let published = TrustedKeys(reading: state.published ?? [], sources: order, now: stamp)
                .keys(inOrderOf: order)
            let sources = order.map { name in
                AccessStatus.Source(
                    name: name,
                    keys: trusted.held.filter { $0.source == name && $0.missingSince == nil }.count,
                    age: trusted.confirmedAt(by: [name]).map { max(0, wall.seconds - $0.seconds) },
                    fault: state.sources[name]?.fault
                )
            }
            let listed = Set(trusted.held.filter { $0.missingSince == nil }.map(\.key))
            return AccessStatus.Keyring(
                keys: state.keys.count,
                rotatedOut: state.keys.filter { !listed.contains($0) }.count,
                age: age,
                isStale: stale,
                isPublished: state.publicationFault == nil && !state.keys.isEmpty
                    && copied ?? Set(published) == Set(published),
                sources: sources,
                vanished: state.vanished,
                returned: state.returned
            )
        }
    }
}
