// SPDX-License-Identifier: Apache-2.0

import Authorization
import Integration
import Testing
import Wire

@testable import entraloginctl

/// The reports' text for people. Every line fits into eighty columns unless a single word does not.
struct ReportTextTests {
    private let text = ReportText(style: Style(), now: 1_786_975_509)

    @Test("An explanation shows each step and its remedy")
    func explanation() {
        let steps = [
            Explanation.Step("name", .ok, "can be an Entra account"),
            Explanation.Step("role", .refused, "Azure role not assigned", remedy: "az role assignment create"),
            Explanation.Step("sign-in", .unknown, "nobody has signed in yet"),
        ]
        #expect(
            text.explanation(Explanation(name: "carol@contoso.com", steps: steps)) == [
                "carol@contoso.com would be refused", "", "ok  name: can be an Entra account",
                "NO  role: Azure role not assigned", "    do  az role assignment create",
                "?   sign-in: nobody has signed in yet",
            ]
        )
    }

    @Test("A local account is said to be one, and nothing of being refused")
    func localAccount() {
        var local = Explanation(name: "root", steps: [Explanation.Step("account", .ok, "entralogin decides nothing")])
        local.isLocal = true
        #expect(text.explanation(local) == ["root is a local account", "", "ok  account: entralogin decides nothing"])
    }

    @Test("A certificate is shown with what it says")
    func certificate() {
        var report = CertificateReport(isAcceptable: false, text: "It has expired")
        report.reason = "certificate"
        report.principals = ["erin@contoso.com"]
        report.validAfter = 0
        report.validBefore = 951_782_400
        #expect(
            text.certificate(report) == [
                "Not acceptable here (certificate)", "It has expired", "", "principals  erin@contoso.com",
                "valid       1970-01-01 00:00:00 UTC to 2000-02-29 00:00:00 UTC",
            ]
        )
    }

    @Test("Findings name where, what is needed and what to do; colours only where there are any")
    func findings() {
        let finding = Finding(
            .sshd(keyword: "usepam"),
            .error,
            "sshd, for a UPN: usepam is 'no': without PAM a certificate alone opens a shell, role or no role",
            place: "/etc/ssh/sshd_config:3",
            needed: "usepam yes",
            remedy: "UsePAM yes in /etc/ssh/sshd_config, then reload sshd"
        )
        let good = Finding(.helper, .good, "fine")
        let plain = FindingsText(style: Style())
        #expect(
            plain.section("Integration", [finding, good]) == [
                "Integration",
                "FAILED  sshd, for a UPN: usepam is 'no': without PAM a certificate alone opens a",
                "        shell, role or no role",
                "        where   /etc/ssh/sshd_config:3",
                "        needed  usepam yes",
                "        do      UsePAM yes in /etc/ssh/sshd_config, then reload sshd",
                "ok      fine",
            ]
        )
        #expect(plain.conclusion([finding, good]) == "One thing keeps Entra accounts out.")
        #expect(plain.conclusion([good]) == "Nothing is wrong.")
        let painted = FindingsText(style: Style(hasColours: true)).section("Integration", [good])
        #expect(painted == ["\u{1b}[1mIntegration\u{1b}[0m", "\u{1b}[32mok\u{1b}[0m      fine"])
    }
}
