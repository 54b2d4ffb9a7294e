// SPDX-License-Identifier: Apache-2.0

import Glibc
import Identity
import LinuxSystem
import TestSupport
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration
@testable import Migration

@Suite("Mapping: the account files, the list, and the way back") struct MappingTests {
    private static let passwd = "root:x:0:0:root:/root:/bin/bash\nlisa:x:1000:1000::/home/lisa:/bin/sh\n"
    private static let group = "root:x:0:\nlisa:x:1000:\n"
    private static let record = "alice@contoso.com:!*adopted:1001:1001:Alice A:/home/alice:/bin/bash"
    private static let listed = "alice@contoso.com:0b1ec700-0000-4000-8000-0000000000a1:1001"

    private let folder = TemporaryFolder()

    init() throws {
        guard mkdir(folder("entralogin"), 0o755) == 0 else { throw Errno.last }
        folder.write(Array(Self.passwd.utf8), to: "passwd")
        folder.write(Array(Self.group.utf8), to: "group")
        chmod(folder("passwd"), 0o640)
    }

    private var files: MappingFiles { MappingFiles(in: folder.path, owner: geteuid(), locks: false) }

    /// Adds the accounts as configure does: the account files last.
    private func add(_ lines: MappingLines) throws {
        try files.add(lines)
        _ = try files.restore()
    }

    private func text(_ file: String) -> String? {
        (try? AtomicFile(folder(file)).read(limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func lines(_ line: String = OldAccountFileTests.alice) -> MappingLines {
        MappingLines(OldAccountFile(line + "\n").accounts, groupNames: [])
    }

    @Test("What is written is what was planned, with owner and mode as before; the way back is byte for byte")
    func thereAndBack() throws {
        try files.add(lines())
        #expect(text("passwd") == Self.passwd && text("group") == Self.group, "before PAM is there to refuse them")
        #expect(text("entralogin/adopted") == "entralogin-adopted 1\n\(Self.listed)\n", "refused from here on")
        #expect(try files.restore())
        #expect(text("passwd") == Self.passwd + Self.record + "\n")
        #expect(text("group") == Self.group + "alice@contoso.com:*:1001:\n")
        #expect(text("entralogin/adopted") == "entralogin-adopted 1\n\(Self.listed)\n")
        var status = stat()
        #expect(stat(folder("passwd"), &status) == 0 && status.st_mode & 0o7777 == 0o640)
        #expect(stat(folder("entralogin/adopted"), &status) == 0 && status.st_mode & 0o7777 == 0o644)
        #expect(stat(folder("entralogin/adopted.lines"), &status) == 0 && status.st_mode & 0o7777 == 0o600)
        #expect(try files.release().isEmpty)
        #expect(text("passwd") == Self.passwd && text("group") == Self.group)
        #expect(text("entralogin/adopted")?.contains(Self.listed) == true, "the names stay refused")
        #expect(try files.restore())
        #expect(text("passwd") == Self.passwd + Self.record + "\n")
        try add(lines())
        #expect(text("passwd") == Self.passwd + Self.record + "\n", "twice")
        _ = try files.release()
        try files.forget()
        #expect(text("entralogin/adopted") == nil && text("entralogin/adopted.lines") == nil)
        #expect(try !files.restore() && files.release().isEmpty)
    }

    @Test("What root has changed in a record goes with it, and comes back with it")
    func changedShell() throws {
        try add(lines())
        let changed = Self.record.replacing("/bin/bash", with: "/bin/zsh")
        folder.write(Array((Self.passwd + changed + "\n").utf8), to: "passwd")
        #expect(try files.restore() && text("passwd") == Self.passwd + changed + "\n", "nothing is missing")
        #expect(try files.release().isEmpty && text("passwd") == Self.passwd)
        #expect(try files.release().isEmpty && text("passwd") == Self.passwd, "twice")
        #expect(try files.restore() && text("passwd") == Self.passwd + changed + "\n")
    }

    @Test("A line that is somebody else's by now is left and named; other people's lines never change")
    func changedMeanwhile() throws {
        try add(lines())
        let changed = Self.record.replacing("!*adopted", with: "x")
        folder.write(Array((Self.passwd + changed + "\nbob:x:5:5::/:/bin/sh\n").utf8), to: "passwd")
        #expect(try files.release() == ["alice@contoso.com"])
        #expect(text("passwd") == Self.passwd + changed + "\nbob:x:5:5::/:/bin/sh\n" && text("group") == Self.group)
        let more = "entralogin-adopted 1\n\(Self.listed)\nzoe@contoso.com:0b1ec700-0000-4000-8000-0000000000ff:1999\n"
        folder.write(Array(more.utf8), to: "entralogin/adopted")
        try files.forget()
        #expect(text("entralogin/adopted") == more.replacing("\(Self.listed)\n", with: ""))
    }

    @Test("Nothing is written where anything contradicts, or a file is not as it must be")
    func refused() throws {
        folder.write(Array((Self.passwd + "bob:x:1001:1::/home/bob:/bin/sh\n").utf8), to: "passwd")
        #expect(throws: MappingFailure.self) { try files.add(lines()) }
        folder.write(Array(Self.passwd.utf8), to: "passwd")
        folder.write(Array((Self.group + "others:x:1001:\n").utf8), to: "group")
        #expect(throws: MappingFailure.self) { try files.add(lines()) }
        folder.write(Array(Self.group.utf8), to: "group")
        folder.write(Array("damage\n".utf8), to: "entralogin/adopted")
        #expect(throws: MappingFailure.self) { try files.add(lines()) }
        unlink(folder("entralogin/adopted"))
        chmod(folder("passwd"), 0o666)
        #expect(throws: MappingFailure.self) { try files.add(lines()) }
        let strange = MappingFiles(in: folder.path, owner: geteuid() + 1, locks: false)
        #expect(throws: MappingFailure.self) { try strange.add(lines()) }
        #expect(text("passwd") == Self.passwd && text("group") == Self.group && text("entralogin/adopted") == nil)
        #expect(text("entralogin/adopted.lines") == nil)
    }

    @Test("The note is read as it was written, and nothing else is")
    func note() {
        let lines = lines()
        #expect(MappingLines(parsing: lines.bytes) == lines)
        for text in ["", "x\n", "entralogin-adopted-lines 2\n", "entralogin-adopted-lines 1\nshadow x\n"] {
            #expect(MappingLines(parsing: Array(text.utf8)) == nil)
        }
        #expect(MappingLines(parsing: Array(lines.bytes.dropLast())) == nil)
        #expect(MappingLines.removing(["a:b"], from: Array("x\na:b\n".utf8)).file == Array("x\n".utf8))
        #expect(MappingLines.missing(["a:b", "c:d"], in: Array("x\na:z\n".utf8)) == ["c:d"])
        #expect(MappingLines.adding(["a:b"], to: Array("x".utf8)) == Array("x\na:b\n".utf8))
    }

    // MARK: What doctor says

    private func evaluate(_ passwd: String, _ list: String?, owner: UInt32 = 0, mode: UInt32 = 0o644) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/passwd"] = passwd
        machine.texts["/etc/group"] = Self.group
        machine.texts[MappingList.path] = list
        machine.statuses[MappingList.path] = FileStatus(kind: .file, owner: owner, mode: mode)
        return MappingRule().evaluate(machine)
    }

    @Test("doctor: agreeing is good; each disagreement is named, with what to do")
    func rule() {
        let list = "entralogin-adopted 1\n\(Self.listed)\n"
        let both = Self.passwd + Self.record + "\n"
        #expect(evaluate(both, list).map(\.severity) == [.good])
        #expect(evaluate(Self.passwd, nil).isEmpty)
        for (found, id) in [
            (evaluate(Self.passwd, list), "adopted.stray"), (evaluate(both, nil), "adopted.unlisted"),
            (evaluate(both, "entralogin-adopted 1\n"), "adopted.unlisted"), (evaluate(both, "x"), "adopted.list"),
            (evaluate(both, list, owner: 5), "adopted.list"), (evaluate(both, list, mode: 0o664), "adopted.list"),
            (evaluate(both + "bob:x:1001:1::/:/bin/sh\n", list), "adopted.stray"),
        ] {
            #expect(found.map(\.id.text) == [id], "\(found)")
            #expect(found.allSatisfy { $0.severity == .warning && !$0.remedy.isEmpty })
        }
    }
}
