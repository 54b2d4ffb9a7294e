// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Identity
internal import UserRecords

// Seeds: calls as systemd makes them, each with its NUL; Tests/Fuzzers/make-seeds writes them anew.

/// Two people, the first an administrator, and everybody may be listed: as much as there is to say.
private struct Village: PublishedAccounts {
    let people = ["alice@contoso.com", "bob@contoso.com"].enumerated().compactMap { index, text -> Account? in
        guard let name = UserName(text), let uid = PosixID(user: PosixID.userRange.lowerBound + UInt32(index)) else {
            return nil
        }
        return Account(name: name, uid: uid, displayName: "\(text), \"x\"", home: "/home/\(text)", shell: "/bin/bash")
    }
    let isSound = true
    let groups = SharedGroups(users: "entra_users", administrators: "entra_admins", enumerate: true)

    func account(named name: UserName) -> Account? { people.first { $0.name == name } }
    func account(uid: UInt32) -> Account? { people.first { $0.uid.number == uid } }
    func everybody() -> [Account] { people }
    func administrators() -> [Account] { Array(people.prefix(1)) }
    func isAdministrator(_ account: Account) -> Bool { account == people.first }

    /// Every number that may be said.
    var numbers: Set<Int64> {
        Set(people.map { Int64($0.uid.number) } + [Int64(PosixID.usersGroup), Int64(PosixID.administratorsGroup)])
    }
}

private let village = Village()
private let database = UserDatabase(village, version: "0")

/// All that a connection brings; true where it is calls and nothing else.
func takesUserDatabaseCalls(_ bytes: [UInt8]) -> Bool {
    let whole = calls(in: bytes, piece: .max)
    promise(whole.calls == calls(in: bytes, piece: 7).calls, "the calls depend on how they come")
    for call in whole.calls { check(database.answer(call), to: call) }
    return whole.isSound && !whole.calls.isEmpty && bytes.last == 0
}

/// The calls that come in pieces of at most that size, until one cannot be read.
private func calls(in bytes: [UInt8], piece: Int) -> (calls: [VarlinkCall], isSound: Bool) {
    var inbox = VarlinkInbox()
    var calls: [VarlinkCall] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        promise((1...VarlinkCall.byteLimit + 1).contains(inbox.room), "an inbox without bounds")
        let next = rest.prefix(min(piece, inbox.room))
        rest = rest.dropFirst(next.count)
        inbox.add(Array(next))
        do throws(VarlinkCall.Malformed) {
            while let call = try inbox.next() { calls.append(call) }
        } catch {
            return (calls, false)
        }
    }
    return (calls, true)
}

private func check(_ answer: VarlinkReplies, to call: VarlinkCall) {
    var answer = answer
    var bytes: [UInt8] = []
    while case let more = answer.frames(about: 100), !more.isEmpty { bytes += more }
    promise(bytes.isEmpty == call.isOneWay, "a call that takes no reply got one, or another none")
    promise(bytes.isEmpty || bytes.last == 0, "a reply has no end")
    let frames = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
    promise(frames.count <= 1 || call.wantsMore, "several replies to a call that takes one")
    for (index, frame) in frames.enumerated() {
        guard let reply = try? JSON(parsing: Array(frame)) else { fatalError("a reply is no JSON") }
        promise((reply["continues"]?.truth ?? false) == (index + 1 < frames.count), "the last reply is not the last")
        check(reply, to: call)
    }
}

private func check(_ reply: JSON, to call: VarlinkCall) {
    if let error = reply["error"] {
        let name = error.text ?? ""
        let isKnown = name.hasPrefix("io.systemd.UserDatabase.") || name.hasPrefix("org.varlink.service.")
        promise(isKnown && name.isQuoted(limit: 64), "an error that is none of the protocol's")
        if let echo = reply["parameters"]?["method"] { promise(echo == .string(call.method), "another method") }
        return
    }
    guard let record = reply["parameters"]?["record"] else { return }
    promise(call.parameters["service"] == .string(UserDatabase.service), "a record that was another service's to say")
    for key in ["uid", "gid"] where record[key] != nil {
        promise(record[key]?.integer.map(village.numbers.contains) ?? false, "a number that is nobody's of ours")
    }
    promise(record["userName"] != nil || record["groupName"] != nil, "a record of nobody")
}
