// SPDX-License-Identifier: Apache-2.0

package import Identity
internal import OpenSSHCertificates

extension TrustedKeys {
    /// The boot to which a file's times belong, and when in that boot the file was written.
    package struct Stamp: Hashable, Sendable {
        /// `/proc/sys/kernel/random/boot_id`; empty if unknown, which never counts as the same boot.
        package let boot: String
        package let writtenAt: BootTime

        package init(boot: String, writtenAt: BootTime) {
            self.boot = boot
            self.writtenAt = writtenAt
        }

        /// The stamp in a file; nil if there is none, as in files of an earlier version.
        package init?(in bytes: [UInt8]) {
            guard bytes.count <= Limit.file, let text = String(validating: bytes, as: UTF8.self) else { return nil }
            let line = pieces(of: text[...], at: "\n").first { $0.hasPrefix(Stamp.mark) }
            guard let fields = line.map({ pieces(of: $0, at: " ") }), fields.count == 3 else { return nil }
            guard let boot = value(of: "boot", in: fields[1]), let at = seconds(of: "at", in: fields[2]) else {
                return nil
            }
            self.init(boot: String(boot), writtenAt: BootTime(sinceBoot: .seconds(at)))
        }

        private static let mark = "# boot="

        var line: String { "\(Stamp.mark)\(boot) at=\(writtenAt.sinceBoot.components.seconds)\n" }

        func isSameBoot(as other: Stamp) -> Bool { !boot.isEmpty && boot == other.boot }
    }

    private static let mark = "entralogin"

    /// The file's content: a line for each key, those of earlier sources first.
    package func bytes(inOrderOf sources: [String], stamp: Stamp) -> [UInt8] {
        var text = "# Written by entralogind, which replaces this file: to add keys, see [Keys] in entralogin.conf\n"
        text += stamp.line
        for held in ordered(by: sources) {
            text += "\(held.key.line) \(TrustedKeys.mark) source=\(held.source) seen=\(held.seenAt.seconds)"
            text += " listed=\(held.listedAt.sinceBoot.components.seconds)"
            if let missing = held.missingSince { text += " missing=\(missing.seconds)" }
            text += "\n"
        }
        return Array(text.utf8)
    }

    /// Reads a file that the daemon wrote. Lines without entralogin's comment, damaged lines, and lines of sources that
    /// are no longer configured are skipped: those keys are fetched again. In a file of another boot, a key's age when
    /// the file was written counts on from the start of this boot; without a stamp, every key counts as listed `now`.
    package init(reading bytes: [UInt8], sources: [String], now: Stamp) {
        guard bytes.count <= Limit.file, let text = String(validating: bytes, as: UTF8.self) else { return }
        let stamp = Stamp(in: bytes)
        for line in pieces(of: text[...], at: "\n") {
            guard var read = TrustedKeys.held(in: line), sources.contains(read.source) else { continue }
            if let stamp {
                if !stamp.isSameBoot(as: now) {
                    let age = read.listedAt.duration(to: stamp.writtenAt)
                    read.listedAt = BootTime(sinceBoot: .zero - max(age, .zero))
                }
                read.listedAt = min(read.listedAt, now.writtenAt)
            } else {
                read.listedAt = now.writtenAt
            }
            let isListed = read.missingSince == nil
            let count = held.count { $0.source == read.source && ($0.missingSince == nil) == isListed }
            guard count < (isListed ? Limit.perSource : Limit.rotatedOut) else { continue }
            guard !held.contains(where: { $0.source == read.source && $0.key == read.key }) else { continue }
            held.append(read)
        }
    }

    /// `listedAt` is as in the file, on the clock of the boot that wrote it; if the line has none, it is later than any
    /// time.
    private static func held(in line: Substring) -> Held? {
        let fields = pieces(of: line, at: " ")
        guard (5...7).contains(fields.count), fields[2] == mark else { return nil }
        guard let source = value(of: "source", in: fields[3]), !source.isEmpty else { return nil }
        guard let seen = seconds(of: "seen", in: fields[4]) else { return nil }
        var rest = fields.dropFirst(5)
        let listed = rest.first.flatMap { seconds(of: "listed", in: $0) }
        if listed != nil { rest.removeFirst() }
        let missing = rest.first.flatMap { seconds(of: "missing", in: $0) }
        if missing != nil { rest.removeFirst() }
        guard rest.isEmpty else { return nil }
        let key: PublicKey
        do throws(PublicKeyError) { key = try PublicKey(line: "\(fields[0]) \(fields[1])") } catch { return nil }
        return Held(
            key: key,
            source: String(source),
            seenAt: UnixTime(seconds: seen),
            listedAt: BootTime(sinceBoot: .seconds(listed ?? 1 << 50)),
            missingSince: missing.map { UnixTime(seconds: $0) }
        )
    }
}

/// Splits bytes: key lines are long, and splitting them as characters takes ten times as long.
private func pieces(of text: Substring, at separator: Unicode.Scalar) -> [Substring] {
    text.utf8.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false).map { Substring($0) }
}

private func value(of name: String, in field: Substring) -> Substring? {
    field.hasPrefix(name + "=") ? field.dropFirst(name.utf8.count + 1) : nil
}

/// Nil for a number that might overflow when added or subtracted.
private func seconds(of name: String, in field: Substring) -> Int64? {
    guard let number = value(of: name, in: field).flatMap({ Int64($0) }), number.magnitude < 1 << 50 else { return nil }
    return number
}
