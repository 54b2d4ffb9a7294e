// SPDX-License-Identifier: Apache-2.0

import AccountAudit
import Integration
import Testing

@testable import entraloginctl

struct AuditTextTests {
    private func lines(_ accounts: [AuditedAccount], _ problems: [AuditProblem] = []) -> [String] {
        AuditText(style: Style()).lines(
            AccountAuditReport(accounts: accounts, allowedInVain: ["gone"], problems: problems)
        )
    }

    @Test("The table fits eighty columns, whatever is in it")
    func width() {
        var worst = AuditedAccount(name: "svc-backup-of-the-data-warehouse", uid: .max, shell: "/usr/sbin/nologin")
        worst.ways = LocalWay.allCases
        worst.notAllowed = LocalWay.allCases
        worst.hasEmptyPassword = true
        worst.hasKeysCommand = true
        worst.shellRefuses = true
        worst.keys = 1_000_000
        worst.keyFiles = ["/home/x/.ssh/authorized_keys", "/etc/ssh/keys/x"]
        worst.sudo = .unknown
        let lines = lines([worst], [AuditProblem("/etc/passwd:3", "not a line of passwd(5)")])
        #expect(lines.allSatisfy { $0.count <= Style.width }, "\(lines)")
        #expect(lines.last == "One account lets people in without Entra.")
    }

    @Test("What is allowed, what is not, and the conclusion")
    func text() {
        var lisa = AuditedAccount(name: "lisa", uid: 1001, shell: "/bin/bash")
        lisa.ways = [.password, .keys, .sudo]
        lisa.keys = 2
        lisa.keyFiles = ["/home/lisa/.ssh/authorized_keys"]
        lisa.sudo = .all
        #expect(
            lines([lisa]) == [
                "ACCOUNT  UID   PASSWORD  KEYS  SUDO  STATE",
                "lisa     1001  console   2     all   allowed", "",
                "lisa: keys in /home/lisa/.ssh/authorized_keys",
                "On the allow-list, though nobody can sign in to it: gone", "",
                "Nobody can sign in without Entra but as allowed.",
            ]
        )
        lisa.notAllowed = [.sudo]
        lisa.passwordOverSSH = true
        let lines = lines([lisa])
        #expect(lines[1] == "lisa     1001  ssh       2     all   NOT ALLOWED")
        #expect(lines.contains { $0.hasSuffix("not allowed: sudo") })
        #expect(self.lines([], [AuditProblem("x", "y")]).last == "Not everything could be looked at.")
    }
}
