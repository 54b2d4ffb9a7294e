// SPDX-License-Identifier: Apache-2.0

internal import CSnapshot
package import Identity

/// The accounts that are published: all but the retired and the hidden ones.
package struct VisibleAccounts: Sendable {
    fileprivate let list: [EnrolledAccount]
    /// The uids of accounts that a local account or group shadows (P7).
    let hidden: Set<UInt32>
    /// The uids of accounts whose records are in the local files.
    let groupsAlone: Set<UInt32>

    /// `accounts` in the order of enrolment.
    package init(
        _ accounts: [EnrolledAccount],
        hiding hidden: Set<UInt32> = [],
        forGroupsAlone groupsAlone: Set<UInt32> = []
    ) {
        list = accounts
        self.hidden = hidden
        self.groupsAlone = groupsAlone
    }

    /// A copy of all published accounts whose records come from entralogin.
    var accounts: [Account] {
        list.indices.filter { shows($0) && !isForGroupsAlone($0) }.map { list[$0].account }
    }

    @inline(__always) fileprivate func isForGroupsAlone(_ index: Int) -> Bool {
        !groupsAlone.isEmpty && groupsAlone.contains(list[index].account.uid.number)
    }

    fileprivate var count: Int {
        var count = 0
        for index in list.indices where shows(index) { count += 1 }
        return count
    }

    @inline(__always) fileprivate func shows(_ index: Int) -> Bool {
        list[index].retiredAt == nil && (hidden.isEmpty || !hidden.contains(list[index].account.uid.number))
    }
}

/// The published accounts in the file's layout (entralogin_snapshot.h, ACCOUNTS).
///
/// All offsets are computed first; then each byte is written once, a piece of the file at a time, straight from the
/// table: with a hundred thousand accounts, a copy of their list or of the file takes as long as the rest.
package struct AccountSnapshot: ~Copyable {
    /// More accounts than the format has offsets for.
    package struct TooLarge: Error, CustomStringConvertible {
        package let description = "more accounts than a snapshot can hold"
    }

    /// In bytes; any record fits in one piece.
    private static let pieceSize = 1 << 18

    private let visible: VisibleAccounts
    private let policy: AccountPolicy
    /// The header, the groups' names and the tables.
    private let front: [UInt8]
    /// The size of the whole file in bytes.
    private let total: Int

    /// `generation` and `seed` go into the header.
    package init(
        of visible: VisibleAccounts,
        policy: AccountPolicy,
        generation: UInt64,
        seed: UInt32
    ) throws(TooLarge) {
        // All that may throw comes before the first property: Swift 6.2 destroys a half-made noncopyable value as a
        // whole.
        let file = try Self.laidOut(visible, policy: policy, generation: generation, seed: seed)
        self.visible = visible
        self.policy = policy
        front = file.front
        total = file.total
    }

    /// What comes before the records, and the size of the whole file.
    private static func laidOut(
        _ visible: VisibleAccounts,
        policy: AccountPolicy,
        generation: UInt64,
        seed: UInt32
    ) throws(TooLarge) -> (front: [UInt8], total: Int) {
        let count = visible.count
        let slots = max(2, (count * 2).nextPowerOfTwo)
        let users = Int(ENTRALOGIN_ACCOUNTS_HEADER)
        let administrators = users + policy.usersGroupName.utf8.count + 1
        let domain = administrators + policy.administratorsGroupName.utf8.count + 1
        let shortNameDomain = policy.shortNameDomain ?? ""
        let nameTable = (domain + shortNameDomain.utf8.count + 1).aligned
        let uidTable = nameTable + slots * 8
        let firstRecord = uidTable + slots * 8

        var names = SlotTable(slots: slots, entries: count)
        var uids = SlotTable(slots: slots, entries: count)
        var (next, end) = (firstRecord, firstRecord)
        for index in visible.list.indices where visible.shows(index) {
            let offset = UInt32(truncatingIfNeeded: next)
            names.add(offset, hash: SnapshotHash.of(policy.nameNow(of: visible.list[index].account), seed: seed))
            uids.add(offset, hash: SnapshotHash.of(visible.list[index].account.uid.number, seed: seed))
            end = next + Self.size(ofRecordAt: index, in: visible, policy)
            next = end.aligned
        }
        guard next <= ENTRALOGIN_SNAPSHOT_MAX else { throw TooLarge() }

        var bytes = [UInt8](repeating: 0, count: firstRecord)
        var file = bytes.mutableSpan
        names.write(at: nameTable, of: &file)
        uids.write(at: uidTable, of: &file)
        _ = overwrite(policy.usersGroupName, at: users, of: &file)
        _ = overwrite(policy.administratorsGroupName, at: administrators, of: &file)
        _ = overwrite(shortNameDomain, at: domain, of: &file)
        _ = overwrite(ENTRALOGIN_ACCOUNTS_MAGIC, at: 0, of: &file)
        overwrite(ENTRALOGIN_SNAPSHOT_VERSION, at: 8, of: &file)
        overwrite(ENTRALOGIN_ACCOUNTS_HEADER, at: 12, of: &file)
        overwrite(UInt64(next), at: 16, of: &file)
        overwrite(generation, at: 24, of: &file)
        let fields = [count, Int(seed), nameTable, slots - 1, uidTable, slots - 1, firstRecord, end]
        for (index, field) in fields.enumerated() { overwrite(UInt32(field), at: 32 + index * 4, of: &file) }
        overwrite(flags(of: policy), at: 64, of: &file)
        overwrite(UInt16(administrators - users - 1), at: 68, of: &file)
        overwrite(UInt16(policy.administratorsGroupName.utf8.count), at: 70, of: &file)
        overwrite(UInt32(users), at: 72, of: &file)
        overwrite(UInt32(administrators), at: 76, of: &file)
        if policy.shortNameDomain != nil {
            overwrite(UInt16(shortNameDomain.utf8.count), at: 80, of: &file)
            overwrite(UInt32(domain), at: 84, of: &file)
        }
        overwrite(SnapshotHash.of(file.bytes.extracting(0..<124), seed: 0), at: 124, of: &file)
        return (bytes, next)
    }

    private static func flags(of policy: AccountPolicy) -> UInt32 {
        (policy.enumerate ? ENTRALOGIN_ENUMERATE : 0) | (policy.mapsGroups ? ENTRALOGIN_MAPS_GROUPS : 0)
            | (policy.shortNameDomain == nil ? 0 : ENTRALOGIN_SHORT_NAMES)
    }

    /// The whole file.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(total)
        write { bytes += $0 }
        return bytes
    }

    /// Passes the file to `append` in pieces, from its beginning to its end.
    package borrowing func write<Failure>(
        _ append: (ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        try append(front[...])
        var piece = [UInt8](repeating: 0, count: Self.pieceSize)
        var used = 0
        for index in visible.list.indices where visible.shows(index) {
            let size = Self.size(ofRecordAt: index, in: visible, policy)
            if used + size.aligned > piece.count {
                try append(piece[..<used])
                used = 0
            }
            var file = piece.mutableSpan
            if visible.isForGroupsAlone(index) {
                let account = visible.list[index].account.forGroupsAlone
                overwrite(account, policy, at: used, size: size, of: &file)
            } else {
                overwrite(visible.list.span[index].account, policy, at: used, size: size, of: &file)
            }
            used += size.aligned
        }
        try append(piece[..<used])
    }

    private static func size(ofRecordAt index: Int, in visible: VisibleAccounts, _ policy: AccountPolicy) -> Int {
        if visible.isForGroupsAlone(index) { return size(of: visible.list[index].account.forGroupsAlone, policy) }
        return size(of: visible.list[index].account, policy)
    }

    private static func size(of account: borrowing Account, _ policy: borrowing AccountPolicy) -> Int {
        Int(ENTRALOGIN_RECORD_HEADER) + policy.nameNow(of: account).utf8.count + account.displayName.utf8.count
            + account.home.utf8.count + account.shell.utf8.count + 4
    }
}

/// Writes one record of that size over the previous bytes, and zeros up to the next record's place.
private func overwrite(
    _ account: borrowing Account,
    _ policy: borrowing AccountPolicy,
    at start: Int,
    size: Int,
    of file: inout MutableSpan<UInt8>
) {
    overwrite(UInt64(0), at: start + size.aligned - 8, of: &file)
    overwrite(UInt32(size), at: start + 4, of: &file)
    overwrite(account.uid.number, at: start + 8, of: &file)
    overwrite(account.uid.number, at: start + 12, of: &file)
    var end = start + Int(ENTRALOGIN_RECORD_HEADER)
    end = overwrite(policy.nameNow(of: account), at: end, length: start + 16, of: &file)
    end = overwrite(account.displayName, at: end, length: start + 18, of: &file)
    end = overwrite(account.home, at: end, length: start + 20, of: &file)
    end = overwrite(account.shell, at: end, length: start + 22, of: &file)
    overwrite(SnapshotHash.of(file.bytes.extracting(start + 4..<start + size), seed: 0), at: start, of: &file)
}

/// Writes the text and a zero, and the text's length at `place`. Returns the offset after the zero.
private func overwrite(_ text: String, at start: Int, length place: Int, of file: inout MutableSpan<UInt8>) -> Int {
    let end = overwrite(text, at: start, of: &file)
    overwrite(UInt16(end - start - 1), at: place, of: &file)
    return end
}

/// One of the two hash tables: slots of hash and offset, linear probing. One slot is always free: there are more of
/// them than accounts.
private struct SlotTable {
    private static let slotsOfPage = 512

    private let slots: Int
    private var entries: [UInt64] = []

    init(slots: Int, entries count: Int) {
        self.slots = slots
        entries.reserveCapacity(count)
    }

    mutating func add(_ offset: UInt32, hash: UInt32) { entries.append(UInt64(offset) << 32 | UInt64(hash)) }

    func write(at start: Int, of file: inout MutableSpan<UInt8>) {
        for entry in entriesByPage {
            var slot = self.slot(of: entry)
            while !isFree(start + slot * 8, in: file.bytes) { slot = (slot + 1) & (slots - 1) }
            overwrite(entry, at: start + slot * 8, of: &file)
        }
    }

    private func slot(of entry: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: entry)) & (slots - 1) }

    private func isFree(_ place: Int, in file: RawSpan) -> Bool {
        file.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self) == 0
    }

    /// Sorted by the table's page, with a counting sort: in the order of the accounts, nearly every entry would lie on
    /// another page than the one before it, which takes five times as long.
    private var entriesByPage: [UInt64] {
        var ends = [Int](repeating: 0, count: slots / Self.slotsOfPage + 2)
        for entry in entries { ends[slot(of: entry) / Self.slotsOfPage + 1] += 1 }
        for page in 1..<ends.count { ends[page] += ends[page - 1] }
        var sorted = [UInt64](repeating: 0, count: entries.count)
        for entry in entries {
            let page = slot(of: entry) / Self.slotsOfPage
            sorted[ends[page]] = entry
            ends[page] += 1
        }
        return sorted
    }
}
