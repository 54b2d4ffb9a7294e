// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing
import WiredMachine

@testable import entraloginctl

/// Which accounts root may put into which local groups (P7).
struct LocalGroupsTests {
    private static let file = """
        root:x:0:
        docker:x:998:alice@contoso.com,lisa
        # builders:x:1:
        builders:x:1001:lisa
        ops:x:1002:
        numbered:x:1003:
        quoted team:x:1004:
        bob@contoso.com:x:1005:
        broken:x
        """
    private let groups = LocalGroups(parsing: LocalGroupsTests.file)

    private func refusal(
        _ group: String,
        isRootEquivalent: Bool = false,
        on machine: WiredMachine = WiredMachine()
    ) -> LocalGroups.Refusal? {
        let own = ["entra_users", "entra_admins"]
        return groups.refusal(of: group, own: own, isRootEquivalent: isRootEquivalent, on: machine)
    }

    @Test("Members are those that the fourth field lists, whole names only")
    func members() {
        #expect(groups.isMember("alice@contoso.com", of: "docker") && !groups.isMember("alice", of: "docker"))
        #expect(groups.groups(of: "lisa") == ["docker", "builders"])
        #expect(groups.groups(of: "").isEmpty && !groups.isMember("", of: "ops"))
    }

    @Test("P7: a group that makes root of its members takes nobody without root's explicit word")
    func rootEquivalent() {
        #expect(refusal("builders") == nil)
        #expect(refusal("docker")?.remedy.contains("--root-equivalent") == true)
        #expect(refusal("docker", isRootEquivalent: true) == nil)
        for name in ["sudo", "wheel", "lxd", "disk", "libvirt", "adm", "shadow", "staff", "kmem", "incus-admin"] {
            #expect(RootGroups.power(of: name) != nil, "\(name)")
        }
        #expect(RootGroups.power(of: "builders") == nil && RootGroups.power(of: "Docker") == nil)
    }

    @Test(
        "P7: so does one that a rule of sudo's names, by name, number or in an alias",
        arguments: [
            ("%ops ALL=(ALL) ALL", "ops"), ("User_Alias TEAM = lisa, %ops", "ops"), ("TEAM ALL=(root:%ops) ALL", "ops"),
            ("%#1003 ALL=(ALL) ALL", "numbered"),
        ]
    )
    func ruled(line: String, group: String) {
        var machine = WiredMachine()
        #expect(refusal(group, on: machine) == nil)
        machine.texts["/etc/sudoers"] = "root ALL=(ALL:ALL) ALL\n\(line)\n"
        #expect(refusal(group, on: machine)?.text.contains("/etc/sudoers:2") == true)
        #expect(refusal(group, isRootEquivalent: true, on: machine) == nil)
        #expect(refusal("builders", on: machine) == nil)
    }

    @Test("P7: never root's own group, Entra's groups, another account's private group or a group that is not there")
    func never() {
        for (group, word) in [
            ("root", "gid 0"), ("entra_admins", "Azure"), ("entra_users", "Azure"),
            ("bob@contoso.com", "account's name"),
            ("nosuch", "no group"), ("broken", "no group"), ("", "no group"),
        ] {
            #expect(refusal(group, isRootEquivalent: true)?.text.contains(word) == true, "\(group)")
        }
    }
}
