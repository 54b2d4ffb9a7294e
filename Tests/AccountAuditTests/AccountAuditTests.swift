// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import AccountAudit
@testable import Integration

struct AccountAuditTests {
    private static let key = "ssh-ed25519 AAAAC3Nz x\n"

    /// Debian 12 with root (locked, no key), lisa (password, key, sudo), and daemon (nothing).
    private var machine: WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/passwd"] = """
            root:x:0:0:root:/root:/bin/bash
            daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
            lisa:x:1001:1001:Lisa:/home/lisa:/bin/bash
            """
        machine.texts["/etc/shadow"] = """
            root:*:19000:0:99999:7:::
            daemon:*:19000:0:99999:7:::
            lisa:$y$hash:19000:0:99999:7:::
            """
        machine.texts["/home/lisa/.ssh/authorized_keys"] = Self.key
        machine.texts["/usr/bin/sudo"] = ""
        for shell in ["/bin/bash", "/usr/sbin/nologin"] {
            machine.statuses[shell] = FileStatus(kind: .file, mode: 0o755)
        }
        machine.configuration = """
            usepam yes
            permitrootlogin without-password
            pubkeyauthentication yes
            passwordauthentication no
            kbdinteractiveauthentication no
            authorizedkeysfile .ssh/authorized_keys
            """
        machine.programs["/usr/bin/sudo -n"] = ProgramResult(
            status: 0,
            output: "User lisa may run the following commands on vm:\n    (ALL : ALL) ALL\n"
        )
        machine.programs["/usr/bin/id -Gn"] = ProgramResult(status: 0, output: "lisa sudo\n")
        return machine
    }

    private func audit(_ machine: WiredMachine, _ allowed: String = "") -> AccountAuditReport {
        var list = AllowList()
        list.read(allowed, "list")
        return AccountAudit(on: machine, allowing: list, today: 20_000).run()
    }

    @Test("An account is listed with every way into it, and only such accounts are")
    func found() throws {
        let report = audit(machine)
        #expect(report.accounts.map(\.name) == ["lisa"])
        let lisa = try #require(report.accounts.first)
        #expect(lisa.ways == [.password, .keys, .sudo] && lisa.notAllowed == lisa.ways)
        #expect(!lisa.passwordOverSSH && lisa.keys == 1 && lisa.sudo == .all)
        #expect(lisa.keyFiles == ["/home/lisa/.ssh/authorized_keys"])
        #expect(!report.isWell && report.problems.isEmpty)
    }

    @Test("What the list allows is no finding; a way that it does not name is one, and a name without need is said")
    func allowed() {
        #expect(audit(machine, "lisa password keys sudo\n").isWell)
        let report = audit(machine, "lisa keys sudo\ngone keys\n")
        #expect(report.accounts.map(\.notAllowed) == [[.password]])
        #expect(!report.isWell && report.allowedInVain == ["gone"])
    }

    @Test("systemd's program for keys is asked; what it prints counts, and another program counts as keys")
    func keysCommand() throws {
        var machine = machine
        machine.texts["/home/lisa/.ssh/authorized_keys"] = nil
        machine.configuration += "\nauthorizedkeyscommand /usr/bin/userdbctl ssh-authorized-keys %u"
        machine.programs["/usr/bin/userdbctl ssh-authorized-keys"] = ProgramResult(status: 0, output: "")
        let lisa = { (machine: WiredMachine) in audit(machine).accounts.first { $0.name == "lisa" } }
        #expect(lisa(machine)?.ways == [.password, .sudo] && audit(machine).accounts.count == 1)
        machine.programs["/usr/bin/userdbctl ssh-authorized-keys"] = ProgramResult(status: 0, output: Self.key)
        let found = try #require(lisa(machine))
        #expect(found.ways == [.password, .keys, .sudo] && found.keys == 1 && found.hasKeysCommand)
        machine.programs["/usr/bin/userdbctl ssh-authorized-keys"] = ProgramResult(status: 1, complaint: "no such unit")
        #expect(lisa(machine)?.ways == [.password, .keys, .sudo])
        machine.configuration = machine.configuration.replacing("userdbctl ssh-authorized-keys", with: "other")
        #expect(lisa(machine)?.hasKeysCommand == true)
    }

    @Test("P16: a local account that bears an Entra account's name is named, of domains that may be Entra's only")
    func entraNames() {
        var machine = machine
        machine.texts["/etc/passwd"]? += "\neve@contoso.com:x:1002:1002::/home/eve:/bin/bash\n"
        #expect(audit(machine).entraNames == ["eve@contoso.com"])
        let other = AccountAudit(on: machine, allowing: AllowList(), today: 20_000, domains: ["fabrikam.com"])
        #expect(other.run().entraNames.isEmpty)
    }

    @Test("A shell that refuses keeps nobody from forwarding ports: with a key it is listed, with a password not")
    func refusingShell() throws {
        var machine = machine
        machine.texts["/etc/shadow"]? += "\n"
        machine.texts["/etc/shadow"] = machine.texts["/etc/shadow"]?.replacing("daemon:*", with: "daemon:$y$hash")
        #expect(audit(machine).accounts.map(\.name) == ["lisa"])
        machine.texts["/usr/sbin/.ssh/authorized_keys"] = Self.key
        let daemon = try #require(audit(machine).accounts.first)
        #expect(daemon.name == "daemon" && daemon.shellRefuses && daemon.ways == [.keys, .sudo])
    }

    @Test("An account that has no shell that can be run, or has expired, gets in nowhere")
    func ended() {
        var machine = machine
        machine.statuses["/bin/bash"] = FileStatus(kind: .file, mode: 0o644)
        #expect(audit(machine).isWell)
        machine = self.machine
        machine.texts["/etc/shadow"] = machine.texts["/etc/shadow"]?
            .replacing("lisa:$y$hash:19000:0:99999:7:::", with: "lisa:$y$hash:19000:0:99999:7::19999:")
        #expect(audit(machine).isWell)
    }

    @Test("What cannot be looked at is a problem, and never a good sign")
    func problems() {
        var machine = machine
        machine.texts["/etc/shadow"] = nil
        #expect(audit(machine).problems.map(\.place) == ["/etc/shadow"])
        machine = self.machine
        machine.result = ProgramResult(status: 255, complaint: "bad option")
        #expect(
            audit(machine, "lisa password sudo").problems.map(\.place) == Array(repeating: "/usr/sbin/sshd", count: 3)
        )
        #expect(!audit(machine, "lisa password sudo").isWell)
        machine = self.machine
        machine.programs["/usr/bin/sudo -n"] = ProgramResult(status: 1, complaint: "sudo: no valid sudoers")
        #expect(audit(machine, "lisa password keys sudo").problems.map(\.place) == ["sudo"])
        machine = self.machine
        machine.texts["/home/lisa/.ssh/authorized_keys"]? += "secret text\n"
        let report = audit(machine, "lisa password keys sudo")
        #expect(report.problems.map(\.place) == ["/home/lisa/.ssh/authorized_keys:2"])
        #expect(!report.isWell && !report.problems.contains { $0.text.contains("secret") })
    }

    @Test("A name that would end sshd's question early is a problem")
    func names() {
        var machine = machine
        machine.texts["/etc/passwd"]? += "\nx,host=a:*:1002:1002::/home/x:/bin/bash"
        #expect(audit(machine).problems.map(\.place) == ["/etc/passwd"])
    }
}
