// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct UnfinishedHomeTests {
    private static let home = "/home/alice@contoso.com"

    /// What HomeRule says about a home that belongs to root.
    private func obstacle(_ change: (inout WiredMachine) -> Void) -> HomeRule.Obstacle? {
        var machine = WiredMachine()
        machine.statuses[Self.home] = FileStatus(kind: .folder, mode: 0o700)
        change(&machine)
        return HomeRule(machine: machine).obstacle(at: Self.home, uid: 70_001)
    }

    @Test("P16: a home that root began and never finished keeps nobody out: it is made anew")
    func begun() {
        #expect(obstacle { $0.unfinishedHomes[Self.home] = 70_001 } == nil)
    }

    @Test("P16: a home of root's that is not unfinished, or another's, or a link, is said to keep its user out")
    func others() {
        #expect(obstacle { _ in }?.text.contains("belongs to user 0") == true)
        #expect(obstacle { $0.unfinishedHomes[Self.home] = 70_002 } != nil)
        let link = obstacle {
            $0.unfinishedHomes[Self.home] = 70_001
            $0.links = [Self.home]
        }
        #expect(link != nil)
    }

    @Test("P16: doctor asks what the session stage asks: is there nothing in it?", .enabled(if: geteuid() == 0))
    func live() throws {
        let machine = LiveMachine(runner: NoRunner())
        let folder = TemporaryFolder()
        let home = "\(folder.path)/home"
        mkdir(home, 0o700)
        #expect(machine.isUnfinishedHome(home, uid: 70_001))
        mkdir("\(home)/.entralogin-test", 0o700)
        #expect(!machine.isUnfinishedHome(home, uid: 70_001))
    }

    private struct NoRunner: ProgramRunner {
        func run(_ path: String, _ arguments: [String]) -> ProgramResult { ProgramResult(status: nil) }
    }
}
