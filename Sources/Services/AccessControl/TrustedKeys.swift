// SPDX-License-Identifier: Apache-2.0

package import Identity
package import OpenSSHCertificates

/// The trusted CA keys, where each comes from, and since when its source no longer lists it. A plain value: no I/O, no
/// clock.
///
/// It is stored in `trusted_user_ca_keys`: sshd ignores the comment of a line (sshd_config(5), TrustedUserCAKeys), so
/// the comment holds what else must survive a restart.
package struct TrustedKeys: Hashable, Sendable {
    package enum Limit {
        /// Keys of one source; Entra lists fewer than ten.
        package static let perSource = 64
        /// Keys of one source that it no longer lists.
        package static let rotatedOut = 64
        /// Bytes of the file: the keys of four sources at their longest.
        package static let file = 4 * (perSource + rotatedOut) * PublicKey.Limit.lineBytes
    }

    package struct Held: Hashable, Sendable {
        package let key: PublicKey
        package let source: String
        /// When its source last listed it, for display only: this clock may be set, so no decision rests on it.
        package var seenAt: UnixTime
        /// The same on the clock of this boot; negative if that was in an earlier boot.
        package var listedAt: BootTime
        /// When its source first left it out of a valid answer.
        package var missingSince: UnixTime?
    }

    /// Both clocks at one moment.
    package struct Moment: Hashable, Sendable {
        package var wall: UnixTime
        package var boot: BootTime

        package init(wall: UnixTime, boot: BootTime) {
            self.wall = wall
            self.boot = boot
        }
    }

    /// How many keys one answer left out that were listed before, and how many it lists again.
    package struct Change: Hashable, Sendable {
        package var vanished = 0
        package var returned = 0
    }

    package internal(set) var held: [Held] = []

    package init() {}

    /// Each key once, those of earlier sources first.
    package func keys(inOrderOf sources: [String]) -> [PublicKey] {
        var seen: Set<PublicKey> = []
        return ordered(by: sources).map(\.key).filter { seen.insert($0).inserted }
    }

    /// Applies a source's answer. A key that it no longer lists is dropped `overlap` after it was last listed. An
    /// answer without keys changes nothing.
    @discardableResult
    package mutating func take(
        _ keys: [PublicKey],
        from source: String,
        at now: Moment,
        overlap: Duration
    ) -> Change {
        var change = Change()
        guard !keys.isEmpty else { return change }
        for index in held.indices where held[index].source == source {
            if keys.contains(held[index].key) {
                if held[index].missingSince != nil { change.returned += 1 }
                held[index].seenAt = now.wall
                held[index].listedAt = now.boot
                held[index].missingSince = nil
            } else if held[index].missingSince == nil {
                change.vanished += 1
                held[index].missingSince = now.wall
            }
        }
        for key in keys where !held.contains(where: { $0.source == source && $0.key == key }) {
            held.append(Held(key: key, source: source, seenAt: now.wall, listedAt: now.boot))
        }
        expire(source: source, at: now.boot, overlap: overlap)
        // Drop those that were listed longest ago: the table stays bounded, whatever a source does (P13).
        let missing = held.filter { $0.source == source && $0.missingSince != nil }
            .sorted { $0.listedAt > $1.listedAt }
        let surplus = Set(missing.dropFirst(Limit.rotatedOut).map(\.key))
        held.removeAll { $0.source == source && surplus.contains($0.key) }
        return change
    }

    /// Drops the keys that the source no longer lists and last listed `overlap` ago, but never the source's last key.
    package mutating func expire(source: String, at now: BootTime, overlap: Duration) {
        let kept = held.filter { held in
            guard held.source == source, held.missingSince != nil else { return true }
            return now < held.listedAt.advanced(by: overlap)
        }
        guard kept.contains(where: { $0.source == source }) else { return }
        held = kept
    }

    /// When one of these sources last confirmed a key; nil if none ever did.
    package func confirmedAt(by sources: [String]) -> UnixTime? {
        held.filter { sources.contains($0.source) }.map(\.seenAt).max()
    }

    /// The same keys, with the times of `earlier` if they are less than `age` apart, or in any case if `age` is nil.
    /// This makes sets equal that differ only in such times. A key that was left out since keeps its own times, which
    /// decide how long it is kept.
    package func keepingTimes(of earlier: TrustedKeys, within age: Duration?) -> TrustedKeys {
        var kept = self
        for index in kept.held.indices {
            let now = kept.held[index]
            let before = earlier.held.first { $0.source == now.source && $0.key == now.key }
            guard let before, before.missingSince == now.missingSince else { continue }
            let (distance, isFar) = now.seenAt.seconds.subtractingReportingOverflow(before.seenAt.seconds)
            if let age, isFar || distance.magnitude >= age.components.seconds.magnitude { continue }
            kept.held[index].seenAt = before.seenAt
            kept.held[index].listedAt = before.listedAt
        }
        return kept
    }

    /// The same keys, except those for which `isLeftOut` is true.
    package func without(_ isLeftOut: (PublicKey) -> Bool) -> TrustedKeys {
        var kept = self
        kept.held.removeAll { isLeftOut($0.key) }
        return kept
    }

    func ordered(by sources: [String]) -> [Held] {
        sources.flatMap { name in held.filter { $0.source == name } }
    }
}
