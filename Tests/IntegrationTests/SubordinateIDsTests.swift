// SPDX-License-Identifier: Apache-2.0

import Glibc
import Identity
import LinuxSystem
import TestSupport
import Testing
import WiredMachine

@testable import Integration

@Suite("Subordinate ids on a machine") struct SubordinateIDsTests {
    private let folder = TemporaryFolder()
    private static let store = "/var/lib/entralogin/accounts"
    private static let alice = "alice@contoso.com"

    private func line(_ name: String, _ uid: UInt32 = 1_999_259_362, retired: String = "-", former: String = "-")
        -> String
    {
        "account \(name) uid=\(uid) tenant=t object=o enrolled=1 retired=\(retired) home=/home/a shell=/bin/bash former=\(former)"
            + " gecos=\n"
    }

    private func machine(_ accounts: String) -> WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/group"] = "root:x:0:\n"
        machine.texts[Self.store] = "entralogin-accounts 1\n\(accounts)"
        return machine
    }

    private func ids(_ numbers: ClosedRange<UInt32>? = nil) -> SubordinateIDs { SubordinateIDs(numbers: numbers) }

    private func file(_ name: String, _ faultPoint: @escaping AtomicFile.FaultPoint = { _ throws(Errno) in })
        -> AtomicFile
    {
        AtomicFile(folder(name), faultPoint: faultPoint)
    }

    private func writer(_ faultPoint: @escaping AtomicFile.FaultPoint = { _ throws(Errno) in }) -> SubordinateIDWriter {
        SubordinateIDWriter(
            users: file("subuid", faultPoint),
            groups: file("subgid", faultPoint),
            owner: geteuid(),
            locks: false
        )
    }

    private func text(_ name: String) -> String? {
        (try? file(name).read(limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("P7: accounts of the store alone get any: no retired one, none that a local line has, none of another form")
    func holders() throws {
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
        let accounts =
            line(Self.alice) + line("bob@contoso.com", 1_999_259_363, retired: "5") + line("lisa", 1_999_259_364)
            + line(guid, 1_999_259_365) + line("root@contoso.com", 0) + line("local@contoso.com", 1_999_259_366)
            + "account x\naccount a:b@contoso.com uid=1999259367\n"
        var machine = machine(accounts)
        machine.texts["/etc/passwd", default: ""] += "\nlocal@contoso.com:x:1001:1001::/:/bin/sh\n"
        let plan = try ids().plan(on: machine)
        #expect(plan.outcomes.map(\.name.text) == [Self.alice, guid])
        // Nobody has signed in yet.
        machine.texts[Self.store] = nil
        #expect(try ids().plan(on: machine).outcomes.isEmpty)
    }

    @Test(
        "Numbers of local ids, of living containers and of images are nobody's range; an own container's are no obstacle"
    )
    func taken() throws {
        let three: ClosedRange<UInt32> = 655_360...655_360 + 3 * 65_536 - 1
        func first(_ change: (inout WiredMachine) -> Void) throws -> SubordinateIDPlan {
            var machine = machine(line(Self.alice, 1_999_259_364))  // 1999259364 % 3 == 0
            change(&machine)
            return try ids(three).plan(on: machine)
        }
        let free = SubordinateIDPlan.Outcome.gets(655_360...720_895)
        #expect(try first { _ in }.outcomes.first?.outcome == free)
        let changes: [@Sendable (inout WiredMachine) -> Void] = [
            { $0.texts["/etc/passwd", default: ""] += "\nold:x:655360:1::/:/bin/sh\n" },
            { $0.texts["/etc/group"] = "team:x:720895:\n" },
            { $0.texts["/proc/17/uid_map"] = "         0     655360      65536\n" },
            { $0.texts["/proc/17/gid_map"] = "0 720000 1000\n" },
            {
                $0.texts["/var/lib/machines/web"] = ""
                $0.statuses["/var/lib/machines/web"] = FileStatus(kind: .folder, owner: 655_360)
            },
            { $0.texts["/proc/self/uid_map"] = "0 0 655360\n720896 720896 4000000000\n" },
        ]
        for change in changes { #expect(try first(change).outcomes.first?.outcome != free) }
        let own = try first { $0.texts["/proc/17/uid_map"] = "0 1999259364 1\n1 655360 65536\n" }
        #expect(own.outcomes.first?.outcome == free)
        #expect(try first { $0.texts["/proc/1/uid_map"] = "0 0 4294967295\n" }.outcomes.first?.outcome == free)
    }

    @Test(
        "Another source of subordinate ids, or another directory without SubordinateIDRange=, is an obstacle, and nothing is written",
        arguments: [
            ("passwd: files entralogin\nsubid: sss\n", true), ("passwd: files sss entralogin\n", false),
            ("passwd: files [NOTFOUND=return] ldap\n", false),
        ]
    )
    func obstacles(text: String, isSource: Bool) throws {
        var machine = machine(line(Self.alice))
        machine.texts["/etc/nsswitch.conf"] = text
        #expect(throws: SubordinateIDs.Obstacle.self) { try ids().plan(on: machine) }
        #expect(throws: SubordinateIDWriter.Failure.self) { _ = try writer().write(ids(), on: machine) }
        #expect(self.text("subuid") == nil)
        guard !isSource else { return }
        #expect(try ids(655_360...720_895).plan(on: machine).outcomes.count == 1)
        machine.texts["/etc/nsswitch.conf"] = "passwd: files systemd entralogin\nsubid: files\n"
        #expect(try ids().plan(on: machine).outcomes.count == 1)
    }

    @Test("Both files are made, or get a line; other lines stay, and so do owner and mode; a second run writes nothing")
    func writes() throws {
        let machine = machine(line(Self.alice))
        _ = try writer().write(ids(), on: machine)
        let line = try #require(text("subuid"))
        #expect(line.hasPrefix("\(Self.alice):") && line.hasSuffix(":65536\n") && text("subgid") == line)
        for name in ["subuid", "subgid"] {
            folder.write(Array("lisa:100000:65536".utf8), to: name)
            chmod(folder(name), 0o640)
        }
        _ = try writer().write(ids(), on: machine)
        #expect(text("subuid") == "lisa:100000:65536\n\(line)" && text("subgid") == text("subuid"))
        var before = stat()
        stat(folder("subuid"), &before)
        #expect(before.st_mode & 0o7777 == 0o640)
        _ = try writer().write(ids(), on: machine)
        var after = stat()
        stat(folder("subuid"), &after)
        #expect(before.st_ino == after.st_ino)
    }

    @Test(
        "P14: whatever step fails, each file is the old one or the new one, and the next run ends with both",
        arguments: AtomicFile.Step.allCases
    )
    func crash(step: AtomicFile.Step) throws {
        let machine = machine(line(Self.alice))
        let old = "lisa:100000:65536\n"
        for whole in ["subuid", "subgid"] {
            for name in ["subuid", "subgid"] { folder.write(Array(old.utf8), to: name) }
            let breaking = SubordinateIDWriter(
                users: file("subuid") { at throws(Errno) in if at == step, whole == "subuid" { throw Errno(ENOSPC) } },
                groups: file("subgid") { at throws(Errno) in if at == step, whole == "subgid" { throw Errno(ENOSPC) } },
                owner: geteuid(),
                locks: false
            )
            #expect(throws: SubordinateIDWriter.Failure.self) { _ = try breaking.write(ids(), on: machine) }
            let plan = try writer().write(ids(), on: machine)
            let expected = String(decoding: plan.users.bytes, as: UTF8.self)
            #expect(expected.hasPrefix(old) && text("subuid") == expected && text("subgid") == expected)
            for name in ["subuid", "subgid"] { #expect(access(folder(".\(name).new"), F_OK) != 0) }
        }
    }

    @Test("A file that is a link, somebody else's to write, or no file is left alone, and that is said")
    func strange() throws {
        let machine = machine(line(Self.alice))
        folder.write(Array("lisa:1:2\n".utf8), to: "subuid")
        chmod(folder("subuid"), 0o666)
        #expect(throws: SubordinateIDWriter.Failure.self) { _ = try writer().write(ids(), on: machine) }
        #expect(text("subuid") == "lisa:1:2\n" && text("subgid") == nil)
        unlink(folder("subuid"))
        symlink("/etc/hostname", folder("subuid"))
        #expect(throws: SubordinateIDWriter.Failure.self) { _ = try writer().write(ids(), on: machine) }
        #expect(text("subgid") == nil)
    }
}
