// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing
import WiredMachine

@testable import Integration
@testable import Migration

struct MigrationSurveyTests {
    private static let objectID = "0b1ec700-0000-4000-8000-0000000000a1"

    /// Debian 12 as aadsshlogin leaves it, with one account.
    private var machine: WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/aadpasswd"] = OldAccountFileTests.alice + "\n"
        machine.texts["/etc/group"] = "root:x:0:\naad_admins:x:1500:alice@contoso.com\n"
        machine.texts["/etc/sudoers.d/aad_admins"] = "# aad_admins\n%aad_admins ALL=(ALL) NOPASSWD:ALL\n"
        machine.texts["/etc/sudoers.d/site"] = "User_Alias X = root\n%aad_admins ALL=(root) /bin/true\n"
        machine.texts["/etc/ssh/sshd_config"] = """
            UsePAM yes
            Match User *@*,????????-????-????-????-????????????    # Added by aadsshlogin installer
                AuthenticationMethods publickey
                AuthorizedKeysCommand /usr/sbin/aad_certhandler %u %k
            Match User root
                X11Forwarding no
            """
        machine.texts["/etc/pam.d/common-account"] =
            "account required pam_unix.so\n# pam_aad.so\naccount optional pam_aad.so\n"
        machine.texts["/etc/nsswitch.conf"] = "passwd: files aad\ngroup: files aad\nhosts: files # aad\n"
        machine.statuses["/bin/bash"] = FileStatus(kind: .file, mode: 0o755)
        machine.statuses["/home/alice"] = FileStatus(kind: .folder, owner: 1001, group: 1001, mode: 0o700)
        return machine
    }

    private func plan(_ machine: WiredMachine, _ known: KnownAccount...) -> MigrationPlan {
        MigrationSurvey(on: machine, known: known).plan(from: .aadsshlogin)
    }

    private func known(_ name: String = "alice@contoso.com", _ id: String = objectID, home: String = "/home/x")
        -> KnownAccount
    {
        KnownAccount(name: name, objectID: id, uid: 1_900_000_000, home: home)
    }

    @Test("Every line that calls the old programs is named, a Match block as a whole, and nobody else's")
    func integration() {
        let plan = plan(machine)
        #expect(
            plan.oldLines == [
                "/etc/ssh/sshd_config:2", "/etc/ssh/sshd_config:3", "/etc/ssh/sshd_config:4",
                "/etc/pam.d/common-account:3", "/etc/nsswitch.conf:1", "/etc/nsswitch.conf:2",
            ]
        )
        #expect(plan.sudoRules == ["/etc/sudoers.d/aad_admins:2", "/etc/sudoers.d/site:2"])
        #expect(plan.hasLocalAdministratorsGroup && plan.isReady && plan.conflicts.isEmpty)
    }

    @Test("A user who never signed in with entralogin keeps number, home and shell; the lines of that are in the plan")
    func keeping() throws {
        let first = try #require(plan(machine).people.first)
        #expect(first.keepsNumber && first.uid == nil && first.oldUID == 1001 && first.commands.isEmpty)
        #expect(first.passwdLine == "alice@contoso.com:!*adopted:1001:1001:Alice A:/home/alice:/bin/bash")
        #expect(first.groupLine == "alice@contoso.com:*:1001:")
        let lines = try #require(MigrationSurvey(on: machine, known: []).mapping(from: .aadsshlogin))
        #expect(lines.people.map(\.line) == ["alice@contoso.com:\(Self.objectID):1001"])
        var mapped = machine
        mapped.texts["/etc/passwd"] = "\(try #require(first.passwdLine))\n"
        mapped.texts["/etc/group"] = "alice@contoso.com:*:1001:\n"
        mapped.texts[MappingList.path] = "entralogin-adopted 1\nalice@contoso.com:\(Self.objectID):1001\n"
        let again = KnownAccount(name: "alice@contoso.com", objectID: Self.objectID, uid: 1001, home: "/home/alice")
        let second = plan(mapped, again)
        #expect(second.isReady && second.people.first?.keepsNumber == true && second.people.first?.passwdLine == nil)
        #expect(MigrationSurvey(on: mapped, known: [again]).mapping(from: .aadlogin)?.isEmpty == true)
        // Mapped once and undone; the home still has the old uid.
        #expect(plan(machine, known(home: "/home/alice")).people.first?.keepsNumber == true)
        // The private group exists already.
        var grouped = machine
        grouped.texts["/etc/group"] = "alice@contoso.com:x:1001:\n"
        #expect(plan(grouped).isReady && plan(grouped).people.first?.groupLine == nil)
    }

    @Test("Who would not be mapped then is a conflict now; and accounts that nobody tells about are one")
    func cannotBeMapped() {
        for (path, text) in [
            ("/etc/group", "others:x:1001:\n"), ("/etc/group", "alice@contoso.com:x:1002:\n"),
            (MappingList.path, "damage\n"),
            (MappingList.path, "entralogin-adopted 1\nbob@contoso.com:\(Self.objectID):1999\n"),
            (MappingList.path, "entralogin-adopted 1\nalice@contoso.com:\(Self.objectID):1002\n"),
        ] {
            var machine = machine
            machine.texts[path] = text
            #expect(!plan(machine).isReady, "\(text)")
            #expect(MigrationSurvey(on: machine, known: []).mapping(from: .aadsshlogin) == nil)
        }
        var machine = machine
        machine.texts["/var/lib/entralogin/accounts"] = "entralogin-accounts 1\naccount x\n"
        #expect(!MigrationSurvey(on: machine, known: nil).plan(from: .aadlogin).isReady)
        #expect(plan(machine).isReady)
    }

    @Test("A user with a number of entralogin's keeps that: home and shell come over; then nothing is left to do")
    func people() throws {
        let second = try #require(plan(machine, known()).people.first)
        #expect(
            second.commands == [
                "chown -hR --from=1001:1001 1900000000:1900000000 /home/alice",
                "entraloginctl users set-home alice@contoso.com /home/alice",
                "entraloginctl users set-shell alice@contoso.com /bin/bash",
            ]
        )
        var changed = machine
        changed.statuses["/home/alice"]?.owner = 1_900_000_000
        let third = plan(changed, known(home: "/home/alice"))
        #expect(third.isReady && third.people.map(\.commands) == [[]])
    }

    @Test(
        "Data that contradict are a conflict, with the line's place and what to do",
        arguments: [
            ("/etc/aadpasswd", "Alice@", "-", "fields"), ("/etc/aadpasswd", ":1001:1001:", ":999:999:", "the system's"),
            ("/etc/aadpasswd", ":1001:1001:", ":0:0:", "the system's"),
            ("/etc/aadpasswd", ":1001:1001:", ":65534:65534:", "the system's"),
            ("/etc/aadpasswd", "/home/alice", "/root", "local account's home"),
            ("/etc/aadpasswd", "/bin/bash", "/bin/zsh", "no program"),
            ("/etc/passwd", "root:x:0:0:root", "lisa:x:1001:1001::/home/lisa:/bin/sh\nroot:x:0:0:root", "has uid 1001"),
            ("/etc/passwd", "root:x:0:0:root", "alice@contoso.com:x:7:7::/x:/bin/sh\nroot:x:0:0:root", "would win"),
        ]
    )
    func conflicts(path: String, part: String, with other: String, why: String) throws {
        var machine = machine
        let text = part == "Alice@" ? "alice\n" : try #require(machine.texts[path]).replacing(part, with: other)
        machine.texts[path] = text
        let plan = plan(machine)
        #expect(!plan.isReady && plan.conflicts.count >= 1, "\(plan.conflicts)")
        #expect(
            plan.conflicts.contains { $0.text.contains(why) && $0.place == "/etc/aadpasswd:1" && !$0.remedy.isEmpty }
        )
    }

    @Test("P5: the same name with another object id, and the other way round, are refused and explained")
    func bindings() {
        let other = "0b1ec700-0000-4000-8000-0000000000ff"
        let sameName = plan(machine, known("alice@contoso.com", other))
        #expect(
            !sameName.isReady && sameName.conflicts.contains { $0.text.contains(other) && $0.remedy.contains("rebind") }
        )
        let sameObject = plan(machine, known("alice.new@contoso.com"))
        #expect(!sameObject.isReady && sameObject.conflicts.contains { $0.text.contains("alice.new@contoso.com") })
        #expect(plan(machine, known()).isReady && plan(machine, known()).isComparedWithOurs)
        #expect(!MigrationSurvey(on: machine, known: nil).plan(from: .aadlogin).isComparedWithOurs)
    }

    @Test("Two lines that share a name, an object, a number or a home contradict")
    func duplicates() {
        for part in ["Alice@contoso.com", Self.objectID, "1001:1001", "/home/alice"] {
            var fields = [
                "bob@contoso.com", "0b1ec700-0000-4000-8000-0000000000b0", "1002:1002", "Bob", "/home/bob", "/bin/bash",
            ]
            let index = ["Alice@contoso.com": 0, Self.objectID: 1, "1001:1001": 2, "/home/alice": 4][part] ?? 0
            fields[index] = part
            var machine = machine
            machine.texts["/etc/aadpasswd"]? += fields.joined(separator: ":") + "\n"
            let conflicts = plan(machine).conflicts
            #expect(
                conflicts.contains { $0.place == "/etc/aadpasswd:2" && $0.text.hasSuffix("/etc/aadpasswd:1, too") },
                "\(part)"
            )
        }
    }

    @Test("A home of somebody else's, a file in its place and a machine without old accounts: no plan")
    func homes() {
        for status in [FileStatus(kind: .folder, owner: 1002), FileStatus(kind: .file, owner: 1001)] {
            var machine = machine
            machine.statuses["/home/alice"] = status
            #expect(!plan(machine).isReady)
        }
        var machine = machine
        machine.statuses["/home/alice"] = nil
        #expect(plan(machine).isReady)
        machine.texts["/etc/aadpasswd"] = nil
        #expect(!plan(machine).isReady)
    }

    @Test("Commands are quoted for a shell")
    func quoting() {
        #expect(OldAccountRules.quoted("/home/o'neil") == #"'/home/o'\''neil'"#)
        #expect(OldAccountRules.quoted("/home/a.b_c-d@e+f") == "/home/a.b_c-d@e+f")
    }
}
