// SPDX-License-Identifier: Apache-2.0

import Migration
import Testing
import Wire

@testable import entraloginctl

struct MigrationTextTests {
    private func plan(_ change: (inout MigrationPlan) -> Void = { _ in }) -> [String] {
        var plan = MigrationPlan(from: .aadsshlogin, isReady: true)
        plan.people = [
            MigratedPerson(
                name: "a.very.long.name.of.somebody@subsidiary.contoso.onmicrosoft.com",
                objectID: "0b1ec700-0000-4000-8000-0000000000a1",
                oldUID: 1001,
                uid: 1_900_000_000,
                home: "/home/a.very.long.name.of.somebody",
                shell: "/bin/bash",
                commands: ["chown -hR x"]
            )
        ]
        plan.oldLines = ["/etc/ssh/sshd_config:120", "/etc/nsswitch.conf:7"]
        change(&plan)
        return MigrationText(style: Style()).lines(plan)
    }

    @Test("The steps are numbered, fit eighty columns and name every line")
    func steps() {
        let lines = plan { $0.sudoRules = ["/etc/sudoers.d/aad_admins:1"] }
        #expect(lines.allSatisfy { $0.count <= Style.width }, "\(lines)")
        let steps = lines.filter { $0.first?.isNumber == true }
        #expect(steps.map { $0.prefix(2) } == ["1.", "2.", "3.", "4.", "5."])
        for word in ["/etc/ssh/sshd_config:120", "/etc/nsswitch.conf:7", "/etc/sudoers.d/aad_admins:1", "chown -hR x"] {
            #expect(lines.contains("      \(word)"))
        }
        #expect(plan().filter { $0.first?.isNumber == true }.count == 4)
        #expect(lines.contains("      AdministratorsGroup=aad_admins") && !lines.contains { $0.contains("groupdel") })
        let local = plan {
            $0.sudoRules = ["x:1"]
            $0.hasLocalAdministratorsGroup = true
        }
        #expect(local.contains("      groupdel aad_admins"))
    }

    @Test("Where data contradict there are no steps, but what to do")
    func conflicts() {
        let lines = plan {
            $0.isReady = false
            $0.conflicts = [
                MigrationConflict(place: "/etc/aadpasswd:3", text: "uid 0 is the system's", remedy: "remove it")
            ]
        }
        #expect(lines.contains("/etc/aadpasswd:3: uid 0 is the system's") && lines.contains("  do  remove it"))
        #expect(lines.last == "Do not begin: fix these first." && !lines.contains { $0.hasPrefix("1.") })
    }

    @Test("An exported account is a line of seven fields that the plan reads again")
    func export() {
        let user = UserReport(
            name: "alice@contoso.com",
            uid: 1_900_000_000,
            objectID: "0b1ec700-0000-4000-8000-0000000000a1",
            displayName: "Alice",
            home: "/home/alice",
            enrolledAt: 1
        )
        #expect(
            ExportedAccount(user, shell: "/bin/bash").line
                == "alice@contoso.com:0b1ec700-0000-4000-8000-0000000000a1:1900000000:1900000000:Alice:/home/alice:/bin/bash"
        )
    }
}
