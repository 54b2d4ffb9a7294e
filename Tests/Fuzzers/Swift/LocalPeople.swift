// SPDX-License-Identifier: Apache-2.0

internal import AccountAudit
internal import Identity
internal import Integration
internal import Migration

// Seeds: a machine with root and lisa, as Debian 12 prints it, and the accounts that aadsshlogin left there.

/// A machine made of the texts of one input; root owns every file, and there are no folders.
private struct PeopleMachine: HostView {
    /// In the order of the input.
    static let paths = [
        "/etc/passwd", "/etc/shadow", "/etc/group", "/home/lisa/.ssh/authorized_keys", AllowList.standard,
        "/etc/aadpasswd", "sshd -T", "sudo -l", MappingList.path,
    ]
    private static let programs = ["/usr/sbin/sshd", "/usr/bin/sudo", "/bin/bash", "/bin/sh"]
    var texts: [String: String]

    func text(of path: String) throws(FileAbsence) -> String {
        guard let text = texts[path] else { throw .absent }
        return text
    }

    func status(of path: String) throws(FileAbsence) -> FileStatus {
        if texts[path] != nil { return FileStatus(kind: .file) }
        guard PeopleMachine.programs.contains(path) else { throw .absent }
        return FileStatus(kind: .file, mode: 0o755)
    }

    func paths(matching _: String) -> [String] { [] }

    func run(_ path: String, _: [String]) -> ProgramResult {
        let said = path == "/usr/sbin/sshd" ? "sshd -T" : path == "/usr/bin/sudo" ? "sudo -l" : ""
        return ProgramResult(status: 0, output: texts[said] ?? "")
    }

    func complaintOnLoading(module _: String) -> String? { nil }
    func isRunning(pid _: Int32) -> Bool { false }
}

func takesPeople(_ bytes: [UInt8]) -> Bool {
    let parts = bytes.split(separator: 0, maxSplits: PeopleMachine.paths.count - 1, omittingEmptySubsequences: false)
    let texts = zip(PeopleMachine.paths, parts).map { ($0, String(decoding: $1, as: UTF8.self)) }
    let machine = PeopleMachine(texts: Dictionary(uniqueKeysWithValues: texts))
    guard let list = AllowList.read(AllowList.standard, on: machine) else { return false }
    let report = AccountAudit(on: machine, allowing: list, today: 20_000).run()
    let passwd = machine.texts["/etc/passwd"] ?? ""
    for account in report.accounts {
        promise(passwd.contains("\(account.name):"), "an account that stands nowhere")
        promise(!account.ways.isEmpty && Set(account.notAllowed).isSubset(of: account.ways), "ways that are none")
        promise(account.ways.contains { $0 != .sudo }, "rights alone are taken for a way in")
    }
    for problem in report.problems {
        promise(problem.place.contains("/") || problem.place.hasPrefix("s"), problem.place)
    }
    promise(!report.isWell || report.problems.isEmpty, "well, though not everything could be looked at")
    let plan = MigrationSurvey(on: machine, known: []).plan(from: .aadsshlogin)
    for person in plan.isReady ? plan.people : [] {
        promise(person.oldUID >= 1000 && person.oldUID < .max, "the system's number is brought over")
        promise(person.passwdLine?.utf8.contains { $0 < 0x20 } != true, "a record of two lines")
        let start = "\(person.name):\(MappingList.mark):"
        promise(person.passwdLine?.hasPrefix(start) != false, "a record with a password")
        promise(person.commands.allSatisfy { !$0.utf8.contains { $0 < 0x20 } }, "a command of two lines")
    }
    let listed = Array((machine.texts[MappingList.path] ?? "").utf8)
    if let mapped = try? MappingList(parsing: listed) {
        promise(mapped.bytes == listed, "a list that we would not write")
    }
    return list.problems.isEmpty && report.problems.isEmpty && !report.accounts.isEmpty && plan.isReady
}
