// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing
import Wire

@testable import entraloginctl

struct ChecksTextTests {
    private let text = ChecksText(style: Style(), now: 1000)

    private func report(_ roles: [String?], effective: String?) -> RoleCheckReport {
        var report = RoleCheckReport(name: "a@b.c", objectID: "0b1e")
        report.resource = "/subscriptions/s"
        report.role = effective
        for (index, role) in roles.enumerated() {
            var answer = CheckerAnswer(
                checker: ["pas", "arm"][index],
                latencyMilliseconds: 7,
                correlationID: "c\(index)"
            )
            answer.role = role
            if role == nil {
                answer.text = "Azure could not be reached"
                answer.remedy = "DNS"
            }
            report.answers.append(answer)
        }
        report.isDisputed = Set(roles.compactMap(\.self)).count > 1
        return report
    }

    @Test(
        "A role is enough where it is there; the administrator's only where it is asked for",
        arguments: [
            ("administrator", Role.administrator, true), ("administrator", .user, true), ("user", .user, true),
            ("user", .administrator, false), ("none", .user, false), ("", .user, false), ("owner", .user, false),
        ]
    )
    func enough(role: String, needed: Role, isEnough: Bool) {
        #expect(ChecksText.isEnough(report([role], effective: role), needed: needed) == isEnough)
        #expect(!ChecksText.isEnough(report([nil], effective: nil), needed: needed))
    }

    @Test("P16: A blocked account is the answer, whatever the roles are; one that Graph says nothing of is undecided")
    func accounts() {
        var report = report(["administrator"], effective: "none")
        report.account = AccountAnswer(latencyMilliseconds: 9)
        for (state, line) in [
            ("disabled", "account     disabled in Entra, so no role counts, 9 ms"),
            ("absent", "account     not in Entra, so no role counts, 9 ms"),
        ] {
            report.account?.state = state
            let lines = text.check(report, needed: .user)
            #expect(lines[0] == "answer      the account is \(state) in Entra" && lines.contains(line))
            #expect(!ChecksText.isEnough(report, needed: .user))
        }
        report.role = nil
        report.account?.state = nil
        report.account?.text = "Azure could not be reached"
        let lines = text.check(report, needed: .user)
        #expect(lines[0].contains("undecided") && lines.contains { $0.contains("nobody new gets in: Azure could not") })
        report.role = "user"
        report.account?.state = "enabled"
        #expect(text.check(report, needed: .user).contains("account     enabled in Entra, 9 ms"))
    }

    @Test("Each checker's answer is shown with its id; a failed one with its remedy, and a dispute is named")
    func checks() {
        let lines = text.check(report(["user", "none"], effective: "user"), needed: .user)
        #expect(lines[0] == "answer      \"Virtual Machine User Login\"")
        #expect(lines.contains("pas         \"Virtual Machine User Login\", 7 ms"))
        #expect(lines.contains("arm         no role that lets this person in here, 7 ms"))
        #expect(lines.contains("            correlation id c1"))
        #expect(lines.contains { $0.hasPrefix("warning     they disagree") })
        let failed = text.check(report([nil], effective: nil), needed: .user)
        #expect(failed[0].contains("undecided, which is a no"))
        #expect(
            failed.contains("pas         no answer: Azure could not be reached, 7 ms")
                && failed.last == "  do        DNS"
        )
        let lowered = text.check(report(["user"], effective: "user"), needed: .administrator)
        #expect(lowered.prefix(2).joined().contains("no administrator"))
    }

    @Test("Sessions are a table, and those that do not fit are counted")
    func sessions() {
        #expect(text.sessions(SessionsReport(sessions: [], total: 0)) == ["No Entra account is signed in over SSH."])
        let one = SessionReport(name: "alice@contoso.com", uid: 7, pid: 812, openedAt: 940, isAdministrator: true)
        #expect(
            text.sessions(SessionsReport(sessions: [one], total: 3)) == [
                "NAME               SINCE  BEGAN AS       SSHD", "alice@contoso.com  1 min  administrator  812",
                "and 2 more",
            ]
        )
    }

    @Test("Sessions that were ended: how many processes, what still runs, and what runs as other users")
    func ended() {
        var report = EndedSessionsReport(name: "alice@contoso.com", uid: 7, ended: 12, left: 0, others: [])
        #expect(text.ended(report) == ["alice@contoso.com: 12 processes ended."])
        report.left = 2
        report.others = [OtherProcessReport(pid: 99, uid: 0, command: "sleep\u{1b}[2J")]
        let lines = text.ended(report)
        #expect(lines[1].contains("2 of uid 7 still run") && lines[2].contains("other users"))
        #expect(lines.last?.hasPrefix("99") == true && lines.last?.contains("\u{1b}") == false)
    }

    @Test("P16: after a retirement, which has ended everything already, the tool does not say that nothing was ended")
    func endedAlready() {
        var report = EndedSessionsReport(name: "alice@contoso.com", uid: 7, ended: 0, left: 0, others: [])
        #expect(text.ended(report, again: true) == ["Nothing runs as alice@contoso.com any more."])
        report.left = 2
        #expect(text.ended(report, again: true).count == 1)
    }

    @Test("Keys are shown by their fingerprint, with their source and whether it still lists them")
    func keys() {
        let keys = [
            KeyReport(fingerprint: "SHA256:a", type: "ssh-rsa", source: "jwks", confirmedAt: 940),
            KeyReport(fingerprint: "SHA256:b", type: "ssh-rsa", source: "jwks", confirmedAt: 0, rotatedOutAt: 970),
        ]
        #expect(
            text.keys(KeyListReport(keys: keys, total: 2)) == [
                "SHA256:a  ssh-rsa", "  jwks, confirmed 1 min ago", "SHA256:b  ssh-rsa", "  jwks, rotated out 30 s ago",
            ]
        )
    }
}
