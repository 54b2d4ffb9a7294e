// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct UnitsRuleTests {
    private func evaluate(_ status: String? = nil, _ change: (inout [String: String]) -> Void) -> [Finding] {
        var blocks: [String: String] = [:]
        for unit in UnitsRule.units {
            blocks[unit] = "Id=\(unit)\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled"
        }
        change(&blocks)
        var machine = WiredMachine()
        machine.texts["/run/systemd/system/x"] = ""
        machine.texts["/usr/bin/systemctl"] = ""
        machine.texts["/proc/42/status"] = status
        let output = UnitsRule.units.compactMap { blocks[$0] }.joined(separator: "\n\n") + "\n"
        machine.programs["/usr/bin/systemctl show"] = ProgramResult(status: 0, output: output)
        return UnitsRule().evaluate(machine).findings
    }

    @Test("Units that run and start at boot are good; without systemd there is a note")
    func good() {
        #expect(evaluate { _ in }.map(\.severity) == [.good])
        #expect(UnitsRule().evaluate(WiredMachine()).findings.map(\.severity) == [.note])
    }

    @Test(
        "A unit that is stopped, missing, masked or disabled is named; a vital one keeps people out",
        arguments: [
            ("entralogind.service", "ActiveState=failed", Severity.error, "is failed"),
            ("entralogind-principals.socket", "LoadState=masked", .error, "is masked"),
            ("entralogin-stack.path", "LoadState=not-found", .warning, "is not-found"),
            ("entralogin-stack.path", "ActiveState=failed", .warning, "sign-in may stay off"),
            (
                "entralogin-stack-sshd.path", "ActiveState=inactive", .warning,
                "sshd_config.d is checked up to 15 minutes late"
            ),
            ("entralogin-stack-pid.path", "ActiveState=failed", .warning, "a reload of sshd"),
            ("entralogin-stack-sudoers.path", "ActiveState=failed", .warning, "an edit of sudoers"),
            ("entralogin-stack-sudoers-folder.path", "UnitFileState=disabled", .warning, "does not start at boot"),
            ("entralogin-stack.timer", "ActiveState=inactive", .warning, "that no path unit has seen"),
            ("entralogin-sessions.socket", "ActiveState=inactive", .warning, "end no session"),
            ("entralogin-keys.path", "ActiveState=failed", .warning, "do not reach sshd"),
            ("entralogin-linger.path", "ActiveState=failed", .warning, "are not started"),
            ("entralogin-audit.socket", "ActiveState=inactive", .note, "hears nothing of entralogin"),
            ("entralogind-control.socket", "UnitFileState=disabled", .warning, "does not start at boot"),
        ]
    )
    func bad(unit: String, state: String, severity: Severity, words: String) {
        let key = state.prefix { $0 != "=" }
        let findings = evaluate { blocks in
            let lines = blocks[unit]?.split(separator: "\n").map { $0.hasPrefix("\(key)=") ? state : String($0) }
            blocks[unit] = lines?.joined(separator: "\n")
        }
        #expect(findings.map(\.id.text) == ["units.\(unit)"] && findings[0].severity == severity)
        #expect(findings[0].found.contains(words))
    }

    @Test("P16: a unit whose file is gone runs until its next start, and that is said")
    func later() {
        let findings = evaluate {
            $0["entralogind.service"] = "Id=entralogind.service\nLoadState=not-found\nActiveState=active"
        }
        #expect(findings.first?.severity == .error && findings.first?.keepsOut == .later)
        #expect(findings.first?.found.contains("next start") == true)
    }

    @Test("P16: a daemon that runs as another user is named, with what to do", arguments: ["nobody", ""])
    func user(name: String) {
        let findings = evaluate { $0["entralogind.service"]? += "\nUser=\(name)" }
        #expect(findings.map(\.severity) == [.error] && findings[0].found.contains(name.isEmpty ? "root" : name))
        #expect(findings[0].remedy.contains("systemctl cat entralogind.service"))
        #expect(evaluate { $0["entralogind.service"]? += "\nUser=entralogin" }.map(\.severity) == [.good])
    }

    @Test("P16: a daemon whose user has another number by now keeps people out from its next start on")
    func number() {
        func found(_ status: String?) -> [Finding] {
            evaluate(status) { $0["entralogind.service"]? += "\nUser=entralogin\nMainPID=42" }
        }
        #expect(found("Name:\tentralogind\nUid:\t997\t997\t997\t997\n").map(\.severity) == [.good])
        let changed = found("Uid:\t777\t777\t777\t777\n")
        #expect(changed.map(\.keepsOut) == [.later] && changed[0].remedy == "usermod -u 777 entralogin")
        // The daemon may end between two checks.
        #expect(found(nil).map(\.severity) == [.good])
    }

    @Test(
        "P16: a masked unit is unmasked where the mask is; an empty file of the package's masks it, too",
        arguments: [
            ("/etc/systemd/system/entralogin-keys.path", "masked", "systemctl unmask entralogin-keys.path && "),
            (
                "/run/systemd/system/entralogin-keys.path", "masked-runtime",
                "systemctl unmask --runtime entralogin-keys.path && "
            ),
            ("/dev/null", "masked", "systemctl unmask entralogin-keys.path && "),
            ("/dev/null", "masked-runtime", "systemctl unmask --runtime entralogin-keys.path && "),
            ("/usr/lib/systemd/system/entralogin-keys.path", "masked", "install the package again"),
            ("/lib/systemd/system/entralogin-keys.path", "masked", "install the package again"),
        ]
    )
    func masked(path: String, state: String, remedy: String) {
        let found = evaluate { blocks in
            blocks["entralogin-keys.path"] =
                "Id=entralogin-keys.path\nLoadState=masked\nFragmentPath=\(path)\nActiveState=inactive\nUnitFileState=\(state)"
        }
        #expect(found.count == 1 && found[0].remedy.hasPrefix(remedy))
    }

    @Test("A systemd that says nothing is no reason to call the units good")
    func silent() {
        #expect(evaluate { $0 = [:] }.count == UnitsRule.units.count)
    }
}
