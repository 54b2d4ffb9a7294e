// SPDX-License-Identifier: Apache-2.0

import Authorization
import FoundationEssentials
import Testing
import Wire

@testable import Server

@Suite struct ReportTextTests {
    /// Texts that JSON, terminals, HTML or readers of lines could misread.
    static let hostile: [String] = [
        "", "\"", "\\", "\\\"", "\\u0000", "\u{0}", "a\u{0}b", "\r\n", "\u{1b}[31mred\u{7}", "\u{7f}", "\u{85}",
        "\u{9b}",
        "</script>", "\u{2028}\u{2029}", "\u{202e}txt.exe", "\u{feff}", "\u{301}", "\"\u{301}", "é", "e\u{301}", "😀👩‍👩‍👧",
        "{\"a\":[1,null]}", "\u{10ffff}", "\u{fffd}", "'; DROP TABLE users; --", "%s%n",
        String(repeating: "\"", count: 999),
        String(String.UnicodeScalarView((0..<0x20).compactMap(Unicode.Scalar.init))),
    ]

    func expectSame<Report: Codable & Hashable & Sendable>(_ report: Report) throws {
        let bytes = ReportText.json(report)
        #expect(bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
        let back = try JSONDecoder().decode(Report.self, from: Data(bytes))
        #expect(back == report)
    }

    /// Every field has a value.
    static func status(_ text: String) -> StatusReport {
        var report = StatusReport(version: text, startedAt: .min, isReady: true)
        report.degraded = [text, ""]
        report.machine = MachineReport(
            cloud: text,
            kind: text,
            resource: text,
            tenant: text,
            name: text,
            isFromDisk: true
        )
        report.tokens = [TokenReport(audience: text, expiresAt: .max, lastError: text), TokenReport(audience: text)]
        report.checkers = [
            CheckerReport(name: text, state: text, lastLatencyMilliseconds: -1, lastError: text),
            CheckerReport(name: text, state: text),
        ]
        report.keys.count = 3
        report.keys.ageSeconds = 5
        report.keys.sources = [text]
        report.keys.isStale = true
        report.keys.lastError = text
        report.accounts.enrolled = .max
        report.accounts.retired = .min
        report.accounts.shadowed = [text, text]
        report.grants = 1
        report.sessions = 2
        report.decisions.allowed = 3
        report.decisions.denied = [text: 1, "role-not-assigned": 2]
        report.stackRefusal = text
        report.clockAheadSeconds = -7
        report.memoryBytes = 1 << 40
        report.warnings = [ReportedWarning(id: WarningID(rawValue: text), isGrave: true, text: text, remedy: text)]
        return report
    }

    @Test("A status report comes back as it was", arguments: hostile)
    func status(_ text: String) throws {
        try expectSame(ReportTextTests.status(text))
        try expectSame(StatusReport(version: text, startedAt: 0, isReady: false))
    }

    @Test("A list of users comes back as it was", arguments: hostile)
    func users(_ text: String) throws {
        var user = UserReport(name: text, uid: .max, objectID: text, displayName: text, home: text, enrolledAt: 1)
        try expectSame(UsersReport(users: [user, user]))
        user.retiredAt = 2
        user.administratorForSeconds = 3
        user.lastDecision = text
        user.lastDecisionAgeSeconds = 4
        try expectSame(UsersReport(users: [user], next: text))
        try expectSame(UsersReport(users: []))
    }

    @Test("A certificate's report comes back as it was", arguments: hostile)
    func certificate(_ text: String) throws {
        var report = CertificateReport(isAcceptable: false, text: text)
        try expectSame(report)
        report.reason = text
        report.keyType = text
        report.keyID = text
        report.serial = "18446744073709551615"
        report.principals = [text, text]
        report.objectID = text
        report.tenantID = text
        report.validAfter = .min
        report.validBefore = .max
        report.authority = text
        let outcomes: [ReportedStep.Outcome] = [.good, .bad, .unknown, .skipped]
        report.steps = outcomes.map { ReportedStep(text, $0, text, remedy: text) }
        try expectSame(report)
    }

    @Test("An explanation comes back as it was", arguments: hostile)
    func explanation(_ text: String) throws {
        let steps = [
            Explanation.Step("name", .ok, text),
            Explanation.Step("role", .unknown, text, remedy: text),
            Explanation.Step("stack", .refused, text, remedy: text, reason: "stack-not-verified"),
            Explanation.Step("account", Denial(.localAccount, text: text, detail: text)),
        ]
        try expectSame(Explanation(name: text, steps: steps))
        try expectSame(Explanation(name: text, steps: []))
    }

    @Test("What is nil is absent, and a table's keys stand in order")
    func form() {
        var report = DecisionsReport()
        report.denied = ["b": 2, "a": 1, "c": 3]
        #expect(
            String(decoding: ReportText.json(report), as: UTF8.self) == #"{"allowed":0,"denied":{"a":1,"b":2,"c":3}}"#
        )
        let token = TokenReport(audience: "\n")
        #expect(String(decoding: ReportText.json(token), as: UTF8.self) == #"{"audience":"\u000a"}"#)
    }
}
