// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct UnfinishedHomeTests {
    private static let home = "/home/alice@contoso.com"

    /// What HomeRule says of a home of root's.
    private func obstacle(_ change: (inout WiredMachine) -> Void = { _ in }) -> HomeRule.Obstacle? {
        var machine = WiredMachine()
        machine.texts["/etc/skel/.bashrc"] = "set -o vi\nalias ll='ls -l'\n"
        machine.texts["/etc/skel/bin/tool"] = "#!/bin/sh\n"
        machine.statuses[Self.home] = FileStatus(kind: .folder, mode: 0o700)
        change(&machine)
        return HomeRule(machine: machine).obstacle(at: Self.home, uid: 70_001)
    }

    @Test("P16: a home that root began and never finished keeps nobody out: it is made anew")
    func begun() {
        #expect(obstacle() == nil)
        #expect(obstacle { $0.texts["\(Self.home)/.bashrc"] = "set -o vi\nal" } == nil)
        let whole = obstacle {
            $0.texts["\(Self.home)/bin/tool"] = "#!/bin/sh\n"
            $0.statuses["\(Self.home)/bin/tool"] = FileStatus(kind: .file, owner: 70_001)
        }
        #expect(whole == nil)
    }

    @Test(
        "P16: a home of root's that holds anything else is another's",
        arguments: [".bashrc", "notes", ".ssh/authorized_keys", "bin/other"]
    )
    func anothers(name: String) {
        #expect(
            obstacle { $0.texts["\(Self.home)/\(name)"] = "something else" }?.text.contains("belongs to user 0") == true
        )
    }

    @Test("P16: nor is it unfinished with another mode, another's file in it, or as a link")
    func other() {
        #expect(obstacle { $0.statuses[Self.home] = FileStatus(kind: .folder, mode: 0o755) } != nil)
        #expect(obstacle { $0.statuses[Self.home] = FileStatus(kind: .folder, owner: 7, mode: 0o700) } != nil)
        let foreign = obstacle {
            $0.texts["\(Self.home)/.bashrc"] = "set"
            $0.statuses["\(Self.home)/.bashrc"] = FileStatus(kind: .file, owner: 7)
        }
        #expect(foreign != nil)
        #expect(obstacle { $0.links = [Self.home] } != nil)
        let mounted = obstacle {
            $0.texts["\(Self.home)/bin/tool"] = ""
            $0.statuses["\(Self.home)/bin"] = FileStatus(kind: .folder, mode: 0o755, device: 9)
        }
        #expect(mounted != nil)
        let link = obstacle {
            $0.texts["\(Self.home)/.bashrc"] = ""
            $0.links = ["\(Self.home)/.bashrc"]
        }
        #expect(link != nil)
    }
}
