// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

@Suite("P1: libpam itself runs the module, or there is no stamp")
struct PAMTransactionTests {
    private static let debian = "/lib/x86_64-linux-gnu/security"

    /// A machine on which libpam gives this result for one service.
    private func probed(_ mark: String, _ result: Int, _ modules: [String], for service: String = "sshd")
        -> WiredMachine
    {
        var machine = WiredMachine()
        let output = "mark \(mark)\nresult \(result)\n" + modules.map { "module \($0)\n" }.joined()
        machine.programs["\(PAMTransaction.program) \(service)"] = ProgramResult(status: 0, output: output)
        return machine
    }

    private func finding(_ machine: WiredMachine, _ service: String = "sshd") -> Finding? {
        StackCheck(on: machine).run().findings.first { $0.id.text == "pam.\(service).libpam" }
    }

    @Test("A module that libpam has not loaded is an error that names both folders", arguments: ["sshd", "sudo"])
    func notLoaded(service: String) throws {
        for result in [0, 7, 10] {
            let found = try #require(
                finding(probed("none", result, ["\(Self.debian)/pam_unix.so"], for: service), service)
            )
            #expect(found.severity == .error)
            #expect(found.found.contains("libpam reads \(Self.debian)"))
            #expect(found.found.contains("/usr/lib/x86_64-linux-gnu/security/pam_entralogin.so"))
        }
    }

    @Test("Loaded, but passed over, not heard, or given arguments: an error")
    func notReached() {
        let modules = ["\(Self.debian)/pam_unix.so", "\(Self.debian)/pam_entralogin.so"]
        for (mark, result) in [("none", 0), ("reached", 0), ("arguments", 10), ("arguments", 0)] {
            #expect(finding(probed(mark, result, modules))?.severity == .error, "\(mark) \(result)")
        }
        #expect(finding(probed("reached", 10, modules))?.severity == .good)
        #expect(finding(probed("none", 7, modules))?.severity == .error, "nothing before our line can refuse")
    }

    @Test("Another module that refuses the name first is a note, where our line names what libpam has loaded")
    func refusedBefore() {
        var machine = probed("none", 7, ["\(Self.debian)/pam_unix.so", "\(Self.debian)/pam_entralogin.so"])
        let own = Debian12.commonAccount
        for (control, path, severity) in [
            ("requisite", "pam_entralogin.so", Severity.note), ("required", "pam_entralogin.so", .error),
            ("requisite", "/opt/pam_entralogin.so", .error), ("requisite", "\(Self.debian)/pam_entralogin.so", .note),
        ] {
            let line = own.replacing("pam_entralogin.so", with: path)
            machine.texts["/etc/pam.d/common-account"] = "account \(control) pam_access.so\n\(line)"
            #expect(finding(machine)?.severity == severity, "\(control) \(path)")
        }
    }

    @Test("A program that is missing, hangs or says something else is an error")
    func noAnswer() {
        for outcome in [
            ProgramResult(status: nil, complaint: "ended by signal 14"), ProgramResult(status: 1),
            ProgramResult(status: 0, output: ""), ProgramResult(status: 0, output: "mark reached\n"),
            ProgramResult(status: 0, output: "mark yes\nresult 10\n"),
            ProgramResult(status: 0, output: "result 10\nmark reached\n"),
        ] {
            var machine = WiredMachine()
            machine.programs["\(PAMTransaction.program) sshd"] = outcome
            #expect(machine.errors.map(\.id.text) == ["pam.sshd.libpam"])
        }
        var missing = WiredMachine()
        missing.texts[PAMTransaction.program] = nil
        missing.statuses[PAMTransaction.program] = nil
        #expect(missing.errors.contains { $0.id.text == "pam-probe" })
    }

    @Test("The verdict rests on the file that libpam has loaded, by its usual name where that is the same file")
    func restsOn() {
        let usual = "/usr/lib/x86_64-linux-gnu/security/pam_entralogin.so"
        var machine = probed("reached", 10, ["\(Self.debian)/pam_unix.so", "/opt/pam_entralogin.so"])
        machine.texts["/opt/pam_entralogin.so"] = ""
        machine.statuses["/opt/pam_entralogin.so"] = FileStatus(kind: .file, owner: 1000, inode: 7)
        let verdict = StackCheck(on: machine).run()
        #expect(verdict.findings.filter { $0.severity == .error }.map(\.place) == ["/opt/pam_entralogin.so"])
        #expect(verdict.restsOn.contains("/opt/pam_entralogin.so"))
        machine.statuses["/opt/pam_entralogin.so"] = nil
        #expect(StackCheck(on: machine).run().restsOn.contains(usual))
    }
}
