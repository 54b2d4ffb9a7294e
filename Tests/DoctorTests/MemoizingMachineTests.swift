// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Counts a machine's calls.
private final class CountingMachine: EnvironmentView {
    private let machine = WiredMachine()
    private let counts = Mutex<[String: Int]>([:])

    /// The commands that were run, and how often.
    var commands: [String: Int] { counts.withLock { $0.filter { $0.key.hasPrefix("run ") } } }
    var reads: [String: Int] { counts.withLock { $0.filter { $0.key.hasPrefix("read ") } } }

    private func count(_ what: String) { counts.withLock { $0[what, default: 0] += 1 } }

    func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        count("run " + ([path] + arguments).joined(separator: " "))
        return machine.run(path, arguments)
    }

    func text(of path: String) throws(FileAbsence) -> String {
        count("read \(path)")
        return try machine.text(of: path)
    }

    func status(of path: String) throws(FileAbsence) -> FileStatus { try machine.status(of: path) }
    func paths(matching pattern: String) -> [String] { machine.paths(matching: pattern) }
    func complaintOnLoading(module path: String) -> String? { machine.complaintOnLoading(module: path) }
    func isRunning(pid: Int32) -> Bool { machine.isRunning(pid: pid) }
    func space(of folder: String) -> FileSpace? { machine.space(of: folder) }
    func isLink(_ path: String) -> Bool { machine.isLink(path) }
    func isUnfinishedHome(_ path: String, uid: UInt32) -> Bool { machine.isUnfinishedHome(path, uid: uid) }
}

@Suite("doctor looks at each thing once") struct MemoizingMachineTests {
    /// All that `doctor` asks of the machine itself.
    private func findings(on machine: any EnvironmentView) -> [Finding] {
        let result = StackCheck(on: machine).run()
        let around = MachineCheck(
            on: machine,
            domain: "contoso.com",
            usersGroup: "entra_users",
            administratorsGroup: "entra_admins",
            sudoers: result.sudoers,
            newAccounts: MachineCheck.NewAccounts(shell: "/bin/bash", shellPlace: nil, homeTemplate: "/home/%n")
        )
        let accounts = EnrolledAccountsRule(on: machine).evaluate()
        return result.findings + around.run() + WritableFilesRule(result.restsOn).evaluate(machine) + accounts
    }

    @Test("no program runs twice, and no file is read twice") func once() {
        let machine = CountingMachine()
        _ = findings(on: MemoizingMachine(machine))
        #expect(machine.commands.filter { $0.value > 1 }.isEmpty)
        #expect(machine.reads.filter { $0.value > 1 }.isEmpty)
        #expect(machine.commands.keys.contains { $0.contains("sshd -T") })
    }

    @Test("the findings are those of the machine itself") func same() {
        #expect(findings(on: MemoizingMachine(WiredMachine())) == findings(on: WiredMachine()))
    }

    @Test("a file that is missing stays missing") func absence() {
        let machine = CountingMachine()
        let memoizing = MemoizingMachine(machine)
        for _ in 0..<2 {
            #expect(throws: FileAbsence.absent) { try memoizing.text(of: "/nothing") }
        }
        #expect(machine.reads["read /nothing"] == 1)
    }
}
