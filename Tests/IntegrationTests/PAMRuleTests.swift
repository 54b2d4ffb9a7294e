// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

/// A table of stacks: the file's content, and what the rule finds wrong.
struct PAMRuleTests {
    /// entralogin's line and the lines that guard it, for use after `type` and a space.
    private static func lines(_ type: String) -> String { PAMRule.lines(type).joined(separator: "\n\(type) ") }

    private func evaluate(_ rule: PAMRule, _ files: [String: String]) -> Finding? {
        var machine = WiredMachine()
        for (name, text) in files { machine.texts["/etc/pam.d/\(name)"] = text }
        return rule.evaluate(machine).findings.first
    }

    @Test(
        "P1: nothing before entralogin's account line may end the stack well or jump over it",
        arguments: [
            ("account sufficient pam_localuser.so", false),
            ("account [success=1 default=ignore] pam_succeed_if.so uid < 1000", false),
            ("account [success=done default=ignore] pam_permit.so", false),
            ("account [default=2] pam_permit.so", false),
            ("account required pam_nologin.so", true),
            ("account requisite pam_nologin.so", true),
            ("account [success=ok default=die] pam_access.so", true),
            ("-account optional pam_foo.so", true),
            ("account [default=1] pam_permit.so\naccount requisite pam_deny.so", true),
            ("auth sufficient pam_rootok.so", true),
        ]
    )
    func before(line: String, isGood: Bool) {
        let text = "\(line)\naccount \(PAMRuleTests.lines("account"))\naccount required pam_unix.so\n"
        #expect(evaluate(.account("sshd"), ["sshd": text])?.severity == (isGood ? .good : .error))
    }

    @Test(
        "The control must let only our yes and our not-mine go on",
        arguments: [
            ("[success=ok ignore=ignore module_unknown=ignore default=die]", Severity.warning),
            ("[default=die success=ok  ignore=ignore module_unknown=ignore]", .warning),
            ("[success=2 ignore=2 module_unknown=ignore default=die]", .error),
            ("[success=2 ignore=ignore module_unknown=ignore default=die]", .error),
            ("[success=ok ignore=ignore default=die]", .warning),
            ("requisite", .warning),
            ("required", .error),
            ("sufficient", .error),
            ("optional", .error),
            ("[success=ok ignore=ignore default=bad]", .error),
            ("[success=ok ignore=ignore perm_denied=ignore default=die]", .error),
            ("[success=ok ignore=ignore authinfo_unavail=ok default=die]", .error),
            ("[success=done ignore=ignore default=die]", .error),
            ("[success=1 ignore=ignore default=die]", .error),
            ("[success=ok ignore=ignore module_unknown=done default=die]", .error),
            ("[success=ok", .error),
            ("[success=ok ignore=wonder default=die]", .error),
            ("obligatory", .error),
        ]
    )
    func control(words: String, severity: Severity) {
        let text = "account \(words) pam_entralogin.so\naccount required pam_unix.so\n"
        #expect(evaluate(.account("sshd"), ["sshd": text])?.severity == severity)
    }

    @Test(
        "P8: What the line jumps over is what refuses Entra accounts where the module cannot be loaded, and nothing else"
    )
    func guarded() throws {
        for type in ["account", "session"] {
            let rule = type == "account" ? PAMRule.account("sshd") : .session("sshd")
            let whole = PAMRule.lines(type).map { "\(type) \($0)" } + ["\(type) required pam_unix.so"]
            #expect(evaluate(rule, ["sshd": whole.joined(separator: "\n")])?.severity == .good)
            var spoilt: [[String]] = (1..<whole.count - 1).map { missing in
                whole.indices.filter { $0 != missing }.map { whole[$0] }
            }
            spoilt.append(whole.map { $0.replacing("requisite pam_succeed_if", with: "optional pam_succeed_if") })
            spoilt.append(whole.map { $0.replacing("uid <", with: "uid >=") })
            spoilt.append(whole.map { $0.replacing(" user !~ *@*", with: "") })
            for lines in spoilt {
                #expect(evaluate(rule, ["sshd": lines.joined(separator: "\n")])?.severity == .error, "\(lines)")
            }
            let earlier = whole.map { $0.replacing(" user notingroup entra_admins", with: "") }
            let group = evaluate(rule, ["sshd": earlier.joined(separator: "\n")])
            #expect(group?.severity == (type == "account" ? .warning : .good), "\(earlier)")
            let renamed = whole.map { $0.replacing("entra_admins", with: "cloud_admins") }
            #expect(evaluate(rule, ["sshd": renamed.joined(separator: "\n")])?.severity == .good)
            let old = "\(type) [success=ok ignore=ignore module_unknown=ignore default=die] pam_entralogin.so\n"
            let finding = try #require(evaluate(rule, ["sshd": old + "\(type) required pam_unix.so\n"]))
            #expect(finding.severity == .warning && finding.found.contains("cannot be loaded"))
            #expect(finding.needed.contains("pam_succeed_if.so quiet"))
        }
    }

    @Test("The account line must stand before pam_unix")
    func afterUnix() throws {
        let text = "account required pam_unix.so\naccount \(PAMRuleTests.lines("account"))\n"
        let finding = try #require(evaluate(.account("sshd"), ["sshd": text]))
        #expect(finding.severity == .error)
        #expect(finding.found.contains("pam_unix.so runs before"))
        #expect(finding.place == "/etc/pam.d/sshd:1")
    }

    @Test(
        "P4: the session line must stand before whatever acts for the person",
        arguments: ["pam_env.so", "pam_mkhomedir.so umask=0077", "pam_systemd.so", "/lib/security/pam_env.so"]
    )
    func sessionOrder(module: String) {
        let late = "session optional \(module)\nsession \(PAMRuleTests.lines("session"))\n"
        let early = "session \(PAMRuleTests.lines("session"))\nsession optional \(module)\n"
        #expect(evaluate(.session("sshd"), ["sshd": late])?.severity == .error)
        #expect(evaluate(.session("sshd"), ["sshd": early])?.severity == .good)
    }

    @Test("In a substack our refusal would end only the substack")
    func substack() throws {
        let files = [
            "sshd": "session substack inner\nsession required pam_unix.so\n",
            "inner": "session \(PAMRuleTests.lines("session"))\n",
        ]
        let finding = try #require(evaluate(.session("sshd"), files))
        #expect(finding.severity == .error)
        #expect(finding.found.contains("substack"))
    }

    @Test("What ends a substack before us does not pass over us; a jump over it counts it once")
    func substackBefore() {
        let inner = "account sufficient pam_permit.so\naccount required pam_permit.so\n"
        let plain = "account substack inner\naccount \(PAMRuleTests.lines("account"))\n"
        #expect(evaluate(.account("sshd"), ["sshd": plain, "inner": inner])?.severity == .good)
        let jumping = "account [default=1] pam_permit.so\n" + plain
        #expect(evaluate(.account("sshd"), ["sshd": jumping, "inner": inner])?.severity == .good)
        let over = "account [default=2] pam_permit.so\n" + plain
        #expect(evaluate(.account("sshd"), ["sshd": over, "inner": inner])?.severity == .error)
    }

    @Test("An include takes only its own type; continued lines are one; comments and case do not count")
    func spelling() {
        let files = [
            "sshd": "ACCOUNT Include password-auth # the rest\n",
            "password-auth":
                "session sufficient pam_x.so\naccount \\\n  \(PAMRuleTests.lines("account"))\n#account sufficient pam_y.so\n",
        ]
        #expect(evaluate(.account("sshd"), files)?.severity == .good)
    }

    @Test("P4: a backslash joins the next line with blanks behind it, too, as for libpam: it may be but arguments")
    func continuedWithBlanks() throws {
        for blanks in [" ", "\t ", ""] {
            let text = "account required pam_permit.so \\\(blanks)\naccount \(PAMRuleTests.lines("account"))\n"
            let finding = try #require(evaluate(.account("sshd"), ["sshd": text]))
            #expect(finding.severity == .error)
            #expect(finding.found.contains("is not in the account stack"))
        }
    }

    @Test("A stack that cannot be read is an error: missing, in a circle, too short")
    func unreadable() {
        #expect(evaluate(.account("sshd"), ["sshd": "@include nowhere\n"])?.severity == .error)
        #expect(evaluate(.account("sshd"), ["sshd": "@include sshd\n"])?.severity == .error)
        #expect(evaluate(.account("sshd"), ["sshd": "account required\n"])?.severity == .error)
        #expect(evaluate(.account("none"), [:])?.severity == .error)
    }

    @Test("Only LF ends a line, as for libpam: a carriage return hides nothing and belongs to the word before it")
    func carriageReturn() {
        let hidden = "# head\r\naccount sufficient pam_localuser.so\r\naccount \(PAMRuleTests.lines("account"))\n"
        #expect(evaluate(.account("sshd"), ["sshd": hidden])?.severity == .error)
        #expect(
            evaluate(.account("sshd"), ["sshd": "account \(PAMRuleTests.lines("account"))\r\n"])?.severity == .error
        )
    }

    @Test("Without our line it is an error that shows the line")
    func missing() throws {
        let finding = try #require(evaluate(.account("sshd"), ["sshd": "account required pam_unix.so\n"]))
        #expect(finding.severity == .error)
        #expect(PAMRule.lines("account").allSatisfy { finding.needed.contains($0) })
    }
}
