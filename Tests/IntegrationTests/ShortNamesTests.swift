// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

@Suite("Short names: setting and integration agree") struct ShortNamesTests {
    private static let dropIn = "/etc/ssh/sshd_config.d/00-entralogin.conf"
    private static let module = "/usr/lib/x86_64-linux-gnu/libnss_entralogin_short.so.2"

    /// A machine that configure has set up with ShortNames=.
    private static func wired() -> WiredMachine {
        var machine = WiredMachine()
        for path in machine.texts.keys where path.hasPrefix("/etc/pam.d/") {
            machine.texts[path] = machine.texts[path]?.replacing(
                "pam_entralogin.so",
                with: "pam_entralogin.so short_names"
            )
        }
        machine.texts["/etc/nsswitch.conf"] = machine.texts["/etc/nsswitch.conf"]?.replacing(
            "entralogin",
            with: "entralogin_short"
        )
        let block = machine.texts[dropIn] ?? ""
        let lines = block.split(separator: "\n").drop { !$0.hasPrefix("Match") }.dropFirst()
        machine.texts[dropIn] = "Match Group entra_short_names\n\(lines.joined(separator: "\n"))\n\(block)"
        machine.texts[module] = ""
        machine.programs["\(PAMTransaction.program) sshd"] = ProgramResult(status: 0, output: probed)
        machine.programs["\(PAMTransaction.program) sudo"] = ProgramResult(status: 0, output: probed)
        return machine
    }

    private static let probed =
        "mark short_names\nresult 10\nmodule /usr/lib/x86_64-linux-gnu/security/pam_entralogin.so\n"

    private func errors(_ machine: WiredMachine, hasShortNames: Bool = true) -> Set<String> {
        let verdict = StackCheck(on: machine, hasShortNames: hasShortNames).run()
        return Set(verdict.findings.filter { $0.severity == .error }.map(\.id.text))
    }

    @Test("P7: with short names the integration for them holds, and no other does")
    func agree() {
        #expect(errors(Self.wired()) == [])
        #expect(WiredMachine().errors.isEmpty)
        let plain = errors(WiredMachine())
        #expect(
            plain == [
                "nss.passwd", "nss.group", "pam.sshd.account", "pam.sshd.session", "pam.sudo.account", "sshd.files",
                "module.nss",
            ]
        )
        let short = errors(Self.wired(), hasShortNames: false)
        #expect(short == ["nss.passwd", "nss.group", "pam.sshd.account", "pam.sshd.session", "pam.sudo.account"])
    }

    @Test("P4: each part that is missing is an error that names it")
    func parts() {
        var machine = Self.wired()
        machine.texts["/etc/pam.d/common-account"] =
            machine.texts["/etc/pam.d/common-account"]?.replacing(" short_names", with: "")
        #expect(errors(machine).contains("pam.sshd.account"))
        machine = Self.wired()
        machine.texts[Self.dropIn] = machine.texts[Self.dropIn]?.replacing(
            "Match Group entra_short_names",
            with: "Match Group entra_users"
        )
        #expect(errors(machine) == ["sshd.files"])
        machine = Self.wired()
        machine.texts[Self.dropIn] = machine.texts[Self.dropIn]?
            .replacing("    authorizedkeysfile none\n", with: "", maxReplacements: 1)
        #expect(errors(machine) == ["sshd.files"], "the block of short names is not whole")
        machine = Self.wired()
        machine.texts["/etc/ssh/sshd_config"] =
            "Match Group staff\n  PasswordAuthentication yes\nMatch all\n"
            + (machine.texts["/etc/ssh/sshd_config"] ?? "")
        #expect(errors(machine).contains("sshd.files"))
    }

    @Test(
        "P8: a group of somebody else's with the name by which sshd finds the accounts is an error; entralogin's own is none"
    )
    func group() {
        var machine = Self.wired()
        for (line, expected) in [
            ("entra_short_names:*:1879048194:\n", [] as Set<String>),
            ("entra_short_names:x:5000:bob\n", ["names.short-group"]),
        ] {
            machine.programs["/usr/bin/getent group"] = ProgramResult(status: 0, output: line)
            #expect(errors(machine) == expected)
        }
        machine.programs["/usr/bin/getent group"] = ProgramResult(status: 2, output: "")
        #expect(errors(machine) == [])
    }
}
