// SPDX-License-Identifier: Apache-2.0

package import Identity
package import OpenSSHCertificates

/// The CA keys that are trusted, where each comes from, and since when its source lists it no more. A value: it takes
/// answers and says what holds.
///
/// It is written as `trusted_user_ca_keys` and read from it again: sshd ignores the comment of a line (sshd_config(5),
/// TrustedUserCAKeys), which says what else must outlive a restart.
package struct TrustedKeys: Hashable, Sendable {
    package enum Limit {
        /// Keys of one source; Entra lists fewer than ten.
        package static let perSource = 64
        /// Keys of one source that it lists no more.
        package static let rotatedOut = 64
        /// Bytes of the file: the keys of four sources at their longest.
        package static let file = 4 * (perSource + rotatedOut) * PublicKey.Limit.lineBytes
    }

    package struct Held: Hashable, Sendable {
        package let key: PublicKey
        package let source: String
        /// When its source last listed it.
        package var seenAt: UnixTime
        /// When its source first left it out of a good answer.
        package var missingSince: UnixTime?
    }

    package private(set) var held: [Held] = []

    package init() {}

    /// Each key once, those of earlier sources first.
    package func keys(inOrderOf sources: [String]) -> [PublicKey] {
        var seen: Set<PublicKey> = []
        return ordered(by: sources).map(\.key).filter { seen.insert($0).inserted }
    }

    /// Takes a source's answer. Keys that it lists no more go once they have been missing for `overlap`. An answer
    /// without keys changes nothing.
    package mutating func take(_ keys: [PublicKey], from source: String, at now: UnixTime, overlap: Duration) {
        guard !keys.isEmpty else { return }
        for index in held.indices where held[index].source == source {
            if keys.contains(held[index].key) {
                held[index].seenAt = now
                held[index].missingSince = nil
            } else {
                // A clock that was wrong when it went must not keep it for longer.
                held[index].missingSince = min(held[index].missingSince ?? now, now)
            }
        }
        for key in keys where !held.contains(where: { $0.source == source && $0.key == key }) {
            held.append(Held(key: key, source: source, seenAt: now))
        }
        expire(source: source, at: now, overlap: overlap)
        // Those that have been missing for longest give way: the table is bounded, whatever a source does (P13).
        let missing = held.filter { $0.source == source && $0.missingSince != nil }
            .sorted { ($0.missingSince ?? now) > ($1.missingSince ?? now) }
        let surplus = Set(missing.dropFirst(Limit.rotatedOut).map(\.key))
        held.removeAll { $0.source == source && surplus.contains($0.key) }
    }

    /// Drops the source's rotated-out keys whose overlap has passed, but never its last key.
    package mutating func expire(source: String, at now: UnixTime, overlap: Duration) {
        let stays = { (held: Held) in
            guard held.source == source, let since = held.missingSince else { return true }
            return now.seconds < since.adding(seconds: overlap.components.seconds).seconds
        }
        let kept = held.filter(stays)
        guard kept.contains(where: { $0.source == source }) else { return }
        held = kept
    }

    /// When one of these sources last confirmed a key; nil where none ever did.
    package func confirmedAt(by sources: [String]) -> UnixTime? {
        held.filter { sources.contains($0.source) }.map(\.seenAt).max()
    }

    /// The same keys, with the times of `earlier` where they are less than `age` apart; with any of its times where
    /// `age` is nil. Two sets of which only the time differs become equal by it.
    package func keepingTimes(of earlier: TrustedKeys, within age: Duration?) -> TrustedKeys {
        var kept = self
        for index in kept.held.indices {
            let now = kept.held[index]
            let before = earlier.held.first { $0.source == now.source && $0.key == now.key }
            guard let before else { continue }
            let (distance, isFar) = now.seenAt.seconds.subtractingReportingOverflow(before.seenAt.seconds)
            if let age, isFar || distance.magnitude >= age.components.seconds.magnitude { continue }
            kept.held[index].seenAt = before.seenAt
        }
        return kept
    }

    /// The same without some keys.
    package func without(_ isLeftOut: (PublicKey) -> Bool) -> TrustedKeys {
        var kept = self
        kept.held.removeAll { isLeftOut($0.key) }
        return kept
    }

    private func ordered(by sources: [String]) -> [Held] {
        sources.flatMap { name in held.filter { $0.source == name } }
    }
}

// MARK: - The file

extension TrustedKeys {
    private static let mark = "entralogin"

    /// The file's content: a line for each key, those of earlier sources first.
    package func bytes(inOrderOf sources: [String]) -> [UInt8] {
        var text = "# Written by entralogind, which replaces this file: to add keys, see [Keys] in entralogin.conf\n"
        for held in ordered(by: sources) {
            text += "\(held.key.line) \(TrustedKeys.mark) source=\(held.source) seen=\(held.seenAt.seconds)"
            if let missing = held.missingSince { text += " missing=\(missing.seconds)" }
            text += "\n"
        }
        return Array(text.utf8)
    }

    /// Reads a file of ours. Lines without our comment, of sources that are not configured any more, and lines that are
    /// damaged are passed over: they are fetched again.
    package init(reading bytes: [UInt8], sources: [String]) {
        guard bytes.count <= Limit.file, let text = String(validating: bytes, as: UTF8.self) else { return }
        for line in text.split(separator: "\n") {
            guard let read = TrustedKeys.held(in: line), sources.contains(read.source) else { continue }
            let isListed = read.missingSince == nil
            let count = held.count { $0.source == read.source && ($0.missingSince == nil) == isListed }
            guard count < (isListed ? Limit.perSource : Limit.rotatedOut) else { continue }
            guard !held.contains(where: { $0.source == read.source && $0.key == read.key }) else { continue }
            held.append(read)
        }
    }

    private static func held(in line: Substring) -> Held? {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 5 || fields.count == 6, fields[2] == mark else { return nil }
        guard let source = value(of: "source", in: fields[3]), !source.isEmpty else { return nil }
        guard let seen = value(of: "seen", in: fields[4]).flatMap({ Int64($0) }) else { return nil }
        var missing: UnixTime?
        if fields.count == 6 {
            guard let seconds = value(of: "missing", in: fields[5]).flatMap({ Int64($0) }) else { return nil }
            missing = UnixTime(seconds: seconds)
        }
        let key: PublicKey
        do throws(PublicKeyError) { key = try PublicKey(line: "\(fields[0]) \(fields[1])") } catch { return nil }
        return Held(key: key, source: String(source), seenAt: UnixTime(seconds: seen), missingSince: missing)
    }

    private static func value(of name: String, in field: Substring) -> Substring? {
        field.hasPrefix(name + "=") ? field.dropFirst(name.utf8.count + 1) : nil
    }
}
