// SPDX-License-Identifier: Apache-2.0

internal import CSnapshot
package import Identity

/// Lays out the published accounts (entralogin_snapshot.h, ACCOUNTS).
///
/// Where everything goes is counted first; then each byte is written once, in its place: 100,000 accounts take some 10 ms.
package enum AccountSnapshot {
    /// More accounts than the format has offsets for.
    package struct TooLarge: Error, CustomStringConvertible {
        package let description = "more accounts than a snapshot can hold"
    }

    /// The file. `generation` and `seed` are the header's.
    package static func bytes(
        of accounts: [Account],
        policy: AccountPolicy,
        generation: UInt64,
        seed: UInt32
    ) throws(TooLarge) -> [UInt8] {
        let layout = Layout(accounts, policy)
        guard layout.total <= ENTRALOGIN_SNAPSHOT_MAX else { throw TooLarge() }
        var bytes = [UInt8](repeating: 0, count: layout.total)
        var names = SlotTable(slots: layout.slots, entries: accounts.count)
        var uids = SlotTable(slots: layout.slots, entries: accounts.count)
        var file = bytes.mutableSpan
        var end = layout.firstRecord
        for account in accounts {
            let offset = end.aligned
            end = file.put(account, at: offset)
            names.add(UInt32(offset), hash: SnapshotHash.of(account.name.text, seed: seed))
            uids.add(UInt32(offset), hash: SnapshotHash.of(account.uid.number, seed: seed))
        }
        names.write(at: layout.nameTable, of: &file)
        uids.write(at: layout.uidTable, of: &file)
        let users = Int(ENTRALOGIN_ACCOUNTS_HEADER)
        let administrators = file.put(policy.usersGroupName, at: users)
        _ = file.put(policy.administratorsGroupName, at: administrators)

        _ = file.put(ENTRALOGIN_ACCOUNTS_MAGIC, at: 0)
        file.put(ENTRALOGIN_SNAPSHOT_VERSION, at: 8)
        file.put(ENTRALOGIN_ACCOUNTS_HEADER, at: 12)
        file.put(UInt64(layout.total), at: 16)
        file.put(generation, at: 24)
        let mask = layout.slots - 1
        let fields = [
            accounts.count, Int(seed), layout.nameTable, mask, layout.uidTable, mask, layout.firstRecord, end,
        ]
        for (index, field) in fields.enumerated() { file.put(UInt32(field), at: 32 + index * 4) }
        file.put(policy.enumerate ? ENTRALOGIN_ENUMERATE : 0, at: 64)
        file.put(UInt16(administrators - users - 1), at: 68)
        file.put(UInt16(policy.administratorsGroupName.utf8.count), at: 70)
        file.put(UInt32(users), at: 72)
        file.put(UInt32(administrators), at: 76)
        file.put(SnapshotHash.of(file.bytes.extracting(0..<124), seed: 0), at: 124)
        return bytes
    }

    /// Where each part begins.
    private struct Layout {
        let slots, nameTable, uidTable, firstRecord, total: Int

        init(_ accounts: [Account], _ policy: AccountPolicy) {
            slots = max(2, (accounts.count * 2).nextPowerOfTwo)
            let groupNames = policy.usersGroupName.utf8.count + policy.administratorsGroupName.utf8.count + 2
            nameTable = (Int(ENTRALOGIN_ACCOUNTS_HEADER) + groupNames).aligned
            uidTable = nameTable + slots * 8
            firstRecord = uidTable + slots * 8
            total = accounts.reduce(firstRecord) { ($0 + AccountSnapshot.size(of: $1)).aligned }
        }
    }

    fileprivate static func size(of account: Account) -> Int {
        Int(ENTRALOGIN_RECORD_HEADER) + account.name.text.utf8.count + account.displayName.utf8.count
            + account.home.utf8.count + account.shell.utf8.count + 4
    }
}

extension MutableSpan<UInt8> {
    /// Writes one record and returns where it ends.
    fileprivate mutating func put(_ account: Account, at start: Int) -> Int {
        put(UInt32(AccountSnapshot.size(of: account)), at: start + 4)
        put(account.uid.number, at: start + 8)
        put(account.uid.number, at: start + 12)
        var end = start + Int(ENTRALOGIN_RECORD_HEADER)
        end = put(account.name.text, at: end, length: start + 16)
        end = put(account.displayName, at: end, length: start + 18)
        end = put(account.home, at: end, length: start + 20)
        end = put(account.shell, at: end, length: start + 22)
        put(SnapshotHash.of(bytes.extracting(start + 4..<end), seed: 0), at: start)
        return end
    }

    private mutating func put(_ text: String, at start: Int, length place: Int) -> Int {
        let end = put(text, at: start)
        put(UInt16(end - start - 1), at: place)
        return end
    }
}

/// One of the two hash tables: slots of hash and offset, linear probing. More slots than accounts, so that one is free.
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
            file.put(entry, at: start + slot * 8)
        }
    }

    private func slot(of entry: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: entry)) & (slots - 1) }

    private func isFree(_ place: Int, in file: RawSpan) -> Bool {
        file.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self) == 0
    }

    /// Sorted, by counting, by the table's page: in the order of the accounts nearly each would lie on another page than
    /// the one before it, which takes five times as long.
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
