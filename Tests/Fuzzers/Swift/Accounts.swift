// SPDX-License-Identifier: Apache-2.0

internal import AccountDirectory
internal import ByteCoding
internal import Identity
internal import Libcrypto
internal import LinuxSystem

// Seeds: Tests/Fuzzers/make-seeds writes them. In both targets, a first byte of 1 means: repair the checksums first, so
// that the input reaches the code behind them.

func takesStore(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first else { return false }
    var file = Array(bytes.dropFirst())
    if first == 1 { file += lastLine(of: file).utf8 }
    if file.starts(with: "entralogin-groups".utf8) { return takesGroupNumbers(file) }
    let store = AccountStore(AtomicFile("/var/lib/entralogin/accounts"))
    let content: AccountStore.Content
    do throws(StoreFault) { content = try store.content(of: file) } catch {
        let lines = file.count { $0 == UInt8(ascii: "\n") } + 1
        promise(error.line.map { (1...lines).contains($0) } ?? true, "a fault names no line")
        promise(error.description.isQuoted(limit: 600), "text is not quoted")
        return false
    }
    promise(store.bytes(of: content) == file, "a store has two spellings")
    let accounts = content.table.accounts
    promise(Set(accounts.map(\.account.uid)).count == accounts.count, "one uid, two people")
    promise(Set(accounts.map(\.account.name)).count == accounts.count, "one name, two people")
    promise(Set(accounts.map(\.account.home)).count == accounts.count, "one home, two people")
    promise(Set(accounts.map(\.identity)).count == accounts.count, "one person, two accounts")
    for account in accounts.map(\.account) {
        promise(PosixID(user: account.uid.number) != nil && HomePath.isAcceptable(account.home))
        let fields = [account.name.text, account.home, account.shell, account.displayName]
        promise(fields.allSatisfy { text in text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: ":") } })
    }
    return true
}

private func takesGroupNumbers(_ file: [UInt8]) -> Bool {
    let mark = GroupNumberMark(AtomicFile("/var/lib/entralogin/groups-given"))
    let store = GroupNumberStore(AtomicFile("/var/lib/entralogin/groups"), mark: mark)
    let numbers: GroupNumbers
    do throws(StoreFault) { numbers = try store.numbers(of: file) } catch {
        promise(error.description.isQuoted(limit: 600), "text is not quoted")
        return false
    }
    promise(store.bytes(of: numbers) == file, "a store has two spellings")
    let bindings = numbers.bindings
    promise(Set(bindings.map(\.gid)).count == bindings.count, "one number, two groups")
    promise(Set(bindings.map(\.group)).count == bindings.count, "one group, two numbers")
    promise(bindings.allSatisfy { GroupNumbers.range.contains($0.gid) }, "a number of another range")
    return true
}

/// The last line, with count and checksum, that must follow `body`.
private func lastLine(of body: [UInt8]) -> String {
    let count = max(body.count { $0 == UInt8(ascii: "\n") } - 1, 0)
    return "end lines=\(count) sha256=\(Hexadecimal.encode(SHA256.digest(of: body)))\n"
}

func takesGrants(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first, let boot = BootID("00112233-4455-6677-8899-aabbccddeeff"),
        let another = BootID("00112233-4455-6677-8899-aabbccddee00")
    else { return false }
    var file = Array(bytes.dropFirst())
    if first == 1 { repair(&file) }
    if file.starts(with: "ENTLGRPS".utf8) { return takesGroups(file, boot, another) }
    guard let (grants, generation) = GrantSnapshot.read(file, boot: boot) else { return false }
    promise(GrantSnapshot.read(file, boot: another) == nil, "grants outlived their boot")
    promise(grants.count <= GrantSnapshot.limit && file.count == 64 + grants.count * 16)
    promise(grants.keys.allSatisfy { PosixID(user: $0) != nil }, "a grant for a uid outside the range")
    let written = GrantSnapshot.bytes(of: grants, boot: boot, generation: generation)
    guard let (again, number) = GrantSnapshot.read(written, boot: boot) else { fatalError("not read again") }
    promise(again == grants && number == generation, "what is written is something else")
    return true
}

/// Entra groups, of which the reader knows the names and numbers.
private func takesGroups(_ file: [UInt8], _ boot: BootID, _ another: BootID) -> Bool {
    let first = GroupNumbers.range.lowerBound
    let groups = [
        GroupSnapshot.Group(name: "developers_entra", gid: first),
        GroupSnapshot.Group(name: "ops_entra", gid: first + 1),
    ]
    guard let (snapshot, generation) = GroupSnapshot.read(file, boot: boot, of: groups) else { return false }
    promise(GroupSnapshot.read(file, boot: another, of: groups) == nil, "memberships outlived their boot")
    promise(GroupSnapshot.read(file, boot: boot, of: groups.reversed()) == nil, "memberships of other groups")
    promise(snapshot.people.keys.allSatisfy { PosixID(user: $0) != nil }, "a membership of a uid outside the range")
    promise(snapshot.bytes(boot: boot, generation: generation) == file, "a file has two spellings")
    return true
}

/// entralogin_snapshot.h: size at 16, checksum of the header at 60; 16 bytes an entry, checksum at 4.
private func repair(_ file: inout [UInt8]) {
    func put(_ number: UInt32, at place: Int) {
        for index in 0..<4 { file[place + index] = UInt8(truncatingIfNeeded: number >> (index * 8)) }
    }
    guard file.count >= 64 else { return }
    put(UInt32(file.count), at: 16)
    put(0, at: 20)
    put(SnapshotHash.of(file[..<60], seed: 0), at: 60)
    for entry in stride(from: 64, through: file.count - 16, by: 16) {
        put(SnapshotHash.of(Array(file[entry..<entry + 4] + file[entry + 8..<entry + 16]), seed: 0), at: entry + 4)
    }
}
