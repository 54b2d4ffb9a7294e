// SPDX-License-Identifier: Apache-2.0

internal import CSnapshot
internal import Identity

/// The id of one boot of the machine: grants do not outlive it.
package struct BootID: Hashable, Sendable {
    /// 16 bytes, in the order in which /proc/sys/kernel/random/boot_id shows them.
    package let bytes: [UInt8]

    /// Takes the text of /proc/sys/kernel/random/boot_id (random(4)), with or without its line end.
    package init?(_ text: String) {
        guard let guid = GUID(text.hasSuffix("\n") ? text.dropLast() : text[...]) else { return nil }
        let digits = guid.text.utf8.filter { $0 != UInt8(ascii: "-") }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        self.bytes = bytes
    }
}

/// Lays out and reads the published grants (entralogin_snapshot.h, GRANTS).
package enum GrantSnapshot {
    /// For each uid, when its grant ends, in whole seconds since boot.
    package typealias Grants = [UInt32: UInt64]

    /// Number of grants; far more than a machine has administrators.
    package static let limit = 65_536
    static let fileLimit = Int(ENTRALOGIN_GRANTS_HEADER) + limit * Int(ENTRALOGIN_GRANT_ENTRY)

    /// The file. `generation` is the header's.
    package static func bytes(of grants: Grants, boot: BootID, generation: UInt64) -> [UInt8] {
        let header = Int(ENTRALOGIN_GRANTS_HEADER)
        let entry = Int(ENTRALOGIN_GRANT_ENTRY)
        var bytes = [UInt8](repeating: 0, count: header + grants.count * entry)
        bytes.replaceSubrange(0..<8, with: ENTRALOGIN_GRANTS_MAGIC.utf8)
        bytes.put(ENTRALOGIN_SNAPSHOT_VERSION, at: 8)
        bytes.put(ENTRALOGIN_GRANTS_HEADER, at: 12)
        bytes.put(UInt64(bytes.count), at: 16)
        bytes.put(generation, at: 24)
        bytes.replaceSubrange(32..<48, with: boot.bytes)
        bytes.put(UInt32(grants.count), at: 48)
        bytes.put(SnapshotHash.of(bytes[0..<60], seed: 0), at: 60)
        for (index, grant) in grants.sorted(by: { $0.key < $1.key }).enumerated() {
            let start = header + index * entry
            bytes.put(grant.key, at: start)
            bytes.put(grant.value, at: start + 8)
            bytes.put(checksum(ofEntryAt: start, in: bytes), at: start + 4)
        }
        return bytes
    }

    /// The grants of that boot and the generation; nil if any part is invalid, or for another boot.
    package static func read(_ bytes: [UInt8], boot: BootID) -> (grants: Grants, generation: UInt64)? {
        let header = Int(ENTRALOGIN_GRANTS_HEADER)
        let entry = Int(ENTRALOGIN_GRANT_ENTRY)
        guard bytes.count >= header, bytes[0..<8].elementsEqual(ENTRALOGIN_GRANTS_MAGIC.utf8) else { return nil }
        let (version, size, sum): (UInt32, UInt64, UInt32) =
            (bytes.number(at: 8), bytes.number(at: 16), bytes.number(at: 60))
        let count = Int(bytes.number(at: 48) as UInt32)
        guard version == ENTRALOGIN_SNAPSHOT_VERSION, bytes.number(at: 12) == ENTRALOGIN_GRANTS_HEADER,
            size == UInt64(bytes.count), count <= limit, bytes.count == header + count * entry,
            sum == SnapshotHash.of(bytes[0..<60], seed: 0), bytes[32..<48].elementsEqual(boot.bytes)
        else { return nil }
        var grants: Grants = [:]
        for start in stride(from: header, to: bytes.count, by: entry) {
            let uid: UInt32 = bytes.number(at: start)
            guard bytes.number(at: start + 4) == checksum(ofEntryAt: start, in: bytes), PosixID(user: uid) != nil else {
                return nil
            }
            grants[uid] = bytes.number(at: start + 8)
        }
        return grants.count == count ? (grants, bytes.number(at: 24)) : nil
    }

    private static func checksum(ofEntryAt start: Int, in bytes: [UInt8]) -> UInt32 {
        SnapshotHash.of(Array(bytes[start..<start + 4]) + bytes[start + 8..<start + 16], seed: 0)
    }
}
