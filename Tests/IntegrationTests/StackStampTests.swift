// SPDX-License-Identifier: Apache-2.0

import Authorization
import Glibc
import LinuxSystem
import Synchronization
import Testing
import WiredMachine

@testable import Integration

/// The result of the integration check on a real disk, for a machine made of texts. If the tests do not run as root,
/// the reader accepts files of this user.
struct StackStampTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/entralogin-stamp.XXXXXX".utf8CString)
        folder = try #require(
            template.withUnsafeMutableBufferPointer { bytes in
                bytes.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
        )
    }

    private var path: String { "\(folder)/stack-verified" }

    private func sweep() {
        unlink(path)
        unlink("\(path).lock")
        rmdir(folder)
    }

    private func reader(_ machine: WiredMachine, version: String = "1") -> StackStampReader {
        StackStampReader(version: version, path: path, owner: geteuid()) { path throws(FileAbsence) in
            try machine.status(of: path)
        }
    }

    @Test("P4: the stamp holds while nothing has changed")
    func roundTrip() throws {
        defer { sweep() }
        let machine = WiredMachine()
        #expect(try StackStampWriter(on: machine, version: "1", path: path).stamp().holds)
        #expect(reader(machine).refusal() == nil)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o644)
    }

    @Test("P4: a change of any file that the result rests on, in any respect, ends it")
    func everyChange() throws {
        defer { sweep() }
        let machine = WiredMachine()
        let verdict = try StackStampWriter(on: machine, version: "1", path: path).stamp()
        for file in verdict.restsOn {
            let before = try machine.status(of: file)
            let changes: [(inout FileStatus) -> Void] = [
                { $0.inode += 1 }, { $0.device += 1 }, { $0.size += 1 }, { $0.modified += 1 }, { $0.changed += 1 },
                { $0.owner = 1000 },
            ]
            for change in changes {
                var after = machine
                var status = before
                change(&status)
                after.statuses[file] = status
                let refusal = try #require(reader(after).refusal())
                #expect(refusal.reason == .stackNotVerified)
                #expect(refusal.detail.contains("\(file) has changed"))
            }
        }
    }

    @Test("P4: a file that is gone ends it")
    func goneFile() throws {
        defer { sweep() }
        var machine = WiredMachine()
        _ = try StackStampWriter(on: machine, version: "1", path: path).stamp()
        machine.texts["/etc/pam.d/common-session"] = nil
        #expect(reader(machine).refusal()?.detail.contains("/etc/pam.d/common-session is missing") == true)
    }

    @Test("No stamp, another version's, a cut or foreign one: refused, and it says which")
    func badStamps() throws {
        defer { sweep() }
        let machine = WiredMachine()
        #expect(reader(machine).refusal()?.detail.contains("no stack stamp") == true)
        _ = try StackStampWriter(on: machine, version: "1", path: path).stamp()
        #expect(reader(machine, version: "2").refusal()?.detail.contains("another version") == true)
        let foreign = StackStampReader(version: "1", path: path, owner: geteuid() + 1) { path throws(FileAbsence) in
            try machine.status(of: path)
        }
        #expect(foreign.refusal()?.detail.contains("belongs to user") == true)
        let whole = try AtomicFile(path).read(limit: 1 << 16)
        for size in 0..<whole.count {
            try AtomicFile(path).replace(with: Array(whole[..<size]), mode: 0o644)
            #expect(reader(machine).refusal() != nil, "cut at \(size)")
        }
        try AtomicFile(path).replace(with: whole, mode: 0o666)
        #expect(reader(machine).refusal()?.detail.contains("lets others write it") == true)
    }

    @Test("P4: a reader that knows the stamp sees each change of it, and of what it names, at the next question")
    func keptStamp() throws {
        defer { sweep() }
        let machine = WiredMachine()
        let changed = Mutex<Set<String>>([])
        let reader = StackStampReader(version: "1", path: path, owner: geteuid()) { path throws(FileAbsence) in
            var status = try machine.status(of: path)
            if changed.withLock({ $0.contains(path) }) { status.size += 1 }
            return status
        }
        let verdict = try StackStampWriter(on: machine, version: "1", path: path).stamp()
        for file in verdict.restsOn {
            #expect(reader.refusal() == nil)
            changed.withLock { $0 = [file] }
            #expect(reader.refusal()?.detail.contains("\(file) has changed") == true)
            changed.withLock { $0 = [] }
        }
        #expect(reader.refusal() == nil)
        chmod(path, 0o666)
        #expect(reader.refusal()?.detail.contains("lets others write it") == true)
        chmod(path, 0o644)
        #expect(reader.refusal() == nil)
        let whole = try AtomicFile(path).read(limit: 1 << 16)
        try AtomicFile(path).replace(with: Array(whole.dropLast()), mode: 0o644)
        #expect(reader.refusal()?.detail.contains("cannot be read as a stack stamp") == true)
        try AtomicFile(path).replace(with: whole, mode: 0o644)
        #expect(reader.refusal() == nil)
        rename(path, path + ".away")
        symlink(path + ".away", path)
        #expect(reader.refusal()?.detail.contains("not a plain file") == true)
        unlink(path)
        unlink(path + ".away")
        #expect(reader.refusal()?.detail.contains("no stack stamp") == true)
    }

    @Test("P2: the stamp says whether administrators are withheld, and forgets it with the cause")
    func withheld() throws {
        defer { sweep() }
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = "@includedir /etc/sudoers.d\n"
        let reader = reader(machine)
        #expect(!reader.withholdsAdministrators())
        for (line, isWithheld) in [("Defaults !pam_acct_mgmt\n", true), ("Defaults lecture=never\n", false)] {
            machine.texts["/etc/sudoers.d/zz"] = line
            #expect(try StackStampWriter(on: machine, version: "1", path: path).stamp().holds)
            #expect(reader.withholdsAdministrators() == isWithheld && reader.refusal() == nil)
        }
    }

    @Test("A check that fails takes an earlier stamp away")
    func removal() throws {
        defer { sweep() }
        var machine = WiredMachine()
        _ = try StackStampWriter(on: machine, version: "1", path: path).stamp()
        machine.configuration = machine.configuration.replacing("usepam yes", with: "usepam no")
        #expect(try !StackStampWriter(on: machine, version: "1", path: path).stamp().holds)
        #expect(access(path, F_OK) != 0)
    }

    @Test("What changes between the first look and the second leaves no stamp")
    func changeMeanwhile() throws {
        defer { sweep() }
        let machine = ChangingMachine()
        #expect(StackStampWriter(on: WiredMachine(), version: "1", path: path).check().holds)
        #expect(try !StackStampWriter(on: machine, version: "1", path: path).stamp().holds)
        #expect(access(path, F_OK) != 0)
        #expect(machine.runsOfSSHD >= 4, "the second check was not reached")
    }

    @Test("What changes after it was noted is looked at again: systemd tells of nothing while the check runs")
    func changeAfterwards() throws {
        defer { sweep() }
        let machine = MovingMachine()
        #expect(try StackStampWriter(on: machine, version: "1", path: path, pause: {}).stamp().holds)
        #expect(machine.runsOfSSHD == 8, "two attempts with two checks each, and two runs of sshd in each check")
        let reader = StackStampReader(version: "1", path: path, owner: geteuid()) { path throws(FileAbsence) in
            try machine.status(of: path)
        }
        #expect(reader.refusal() == nil)
    }

    @Test("P17: an sshd that starts between the two looks, as at boot, costs another attempt and not the record")
    func listenerMeanwhile() throws {
        defer { sweep() }
        for starts in 1...6 {
            let machine = StartingMachine(starts: starts)
            let pauses = Mutex(0)
            let writer = StackStampWriter(on: machine, version: "1", path: path, pause: { pauses.withLock { $0 += 1 } })
            #expect(try writer.stamp().holds, "\(starts) starts")
            #expect(pauses.withLock { $0 } <= starts)
            let reader = StackStampReader(version: "1", path: path, owner: geteuid()) { path throws(FileAbsence) in
                try machine.status(of: path)
            }
            #expect(reader.refusal() == nil)
        }
    }

    @Test("P4: an sshd that starts anew for ever leaves no record, and the check ends")
    func neverSteady() throws {
        defer { sweep() }
        let machine = StartingMachine(starts: .max)
        #expect(try !StackStampWriter(on: machine, version: "1", path: path, pause: {}).stamp().holds)
        #expect(access(path, F_OK) != 0)
    }

    @Test("Files below a folder that only root may search are left to root's watch")
    func guarded() throws {
        defer { sweep() }
        var machine = WiredMachine()
        machine.statuses["/etc/ssh/sshd_config.d"] = FileStatus(kind: .folder, mode: 0o700)
        _ = try StackStampWriter(on: machine, version: "1", path: path).stamp()
        // The daemon cannot see files in this folder any more, but changes of other files still count.
        machine.texts["/etc/ssh/sshd_config.d/00-entralogin.conf"] = nil
        #expect(reader(machine).refusal() == nil)
        machine.statuses["/etc/ssh/sshd_config"] = FileStatus(kind: .file, size: 1)
        #expect(reader(machine).refusal() != nil)
    }

    @Test("The listener is kept in the stamp, and trusted by the next check")
    func listener() throws {
        defer { sweep() }
        var machine = WiredMachine()
        machine.texts["/run/sshd.pid"] = "812\n"
        machine.statuses["/run/sshd.pid"] = FileStatus(kind: .file, modified: 100)
        machine.running = [812]
        _ = try StackStampWriter(on: machine, version: "1", path: path).stamp()
        machine.statuses["/etc/ssh/sshd_config"] = FileStatus(kind: .file, changed: 101)
        // The writer reads only a result that root wrote.
        #expect(try StackStampWriter(on: machine, version: "1", path: path).stamp().holds == (geteuid() == 0))
    }
}

/// A machine whose sshd prints `UsePAM no` from its third run on: in the second check, because each check runs sshd twice.
private final class ChangingMachine: HostView {
    private let wired = WiredMachine()
    private let runs = Mutex(0)

    var runsOfSSHD: Int { runs.withLock { $0 } }

    func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        guard path.hasSuffix("/sshd") else { return wired.run(path, arguments) }
        let count = runs.withLock { count in
            count += 1
            return count
        }
        guard count > 2 else { return wired.run(path, arguments) }
        return ProgramResult(status: 0, output: wired.configuration.replacing("usepam yes", with: "usepam no"))
    }

    func text(of path: String) throws(FileAbsence) -> String { try wired.text(of: path) }
    func status(of path: String) throws(FileAbsence) -> FileStatus { try wired.status(of: path) }
    func paths(matching pattern: String) -> [String] { wired.paths(matching: pattern) }
    func complaintOnLoading(module path: String) -> String? { nil }
    func isRunning(pid: Int32) -> Bool { false }
}

/// A machine on which a file changes while the second check runs sshd: after its state was noted.
private final class MovingMachine: HostView {
    private let wired = WiredMachine()
    private let runs = Mutex(0)

    var runsOfSSHD: Int { runs.withLock { $0 } }

    func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        if path.hasSuffix("/sshd") { runs.withLock { $0 += 1 } }
        return wired.run(path, arguments)
    }

    func status(of path: String) throws(FileAbsence) -> FileStatus {
        var status = try wired.status(of: path)
        if path == "/etc/pam.d/common-auth" { status.changed = runs.withLock { $0 > 2 ? 1 : 0 } }
        return status
    }

    func text(of path: String) throws(FileAbsence) -> String { try wired.text(of: path) }
    func paths(matching pattern: String) -> [String] { wired.paths(matching: pattern) }
    func complaintOnLoading(module path: String) -> String? { nil }
    func isRunning(pid: Int32) -> Bool { false }
}

/// A machine whose sshd is another process at each of the first looks, as while sshd starts.
private final class StartingMachine: HostView {
    private let wired = WiredMachine()
    private let starts: Int
    private let looks = Mutex(0)

    init(starts: Int) { self.starts = starts }

    func text(of path: String) throws(FileAbsence) -> String {
        guard path == "/run/sshd.pid" else { return try wired.text(of: path) }
        let look = looks.withLock { looks in
            looks += 1
            return min(looks, starts)
        }
        return "\(800 + look)\n"
    }

    func status(of path: String) throws(FileAbsence) -> FileStatus {
        path == "/run/sshd.pid" ? FileStatus(kind: .file, modified: 100) : try wired.status(of: path)
    }

    func run(_ path: String, _ arguments: [String]) -> ProgramResult { wired.run(path, arguments) }
    func paths(matching pattern: String) -> [String] { wired.paths(matching: pattern) }
    func complaintOnLoading(module path: String) -> String? { nil }
    func isRunning(pid: Int32) -> Bool { true }
}
