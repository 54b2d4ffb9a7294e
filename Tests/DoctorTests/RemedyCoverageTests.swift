// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Integration

/// Compares Documentation/findings.md with the tests: for each id that can be a warning or an error, a test carries out
/// the remedy and checks that the finding is gone.
struct RemedyCoverageTests {
    /// A test file that carries out a remedy, and words in its text.
    struct Elsewhere {
        let file: String
        let words: [String]

        init(_ file: String, _ words: String...) {
            self.file = file
            self.words = words
        }
    }

    /// Findings without a row in `RemedyTests`: those of the tool itself, and those whose remedies need a machine.
    static let elsewhere: [String: Elsewhere] = [
        "stamp": Elsewhere("Integration/told.py", #"("rm /run/entralogin/stack-verified", "stamp")"#),
        "setup.by-hand": Elsewhere("Integration/told.py", #""setup.by-hand""#, #"host.tool("setup", "--apply")"#),
        "setup.unfinished": Elsewhere("Integration/way_back.py", #""setup.unfinished""#, "trial.settled("),
        "files": Elsewhere("Integration/told.py", #"("chmod 700 /var/lib/entralogin", "files")"#),
        "names.short-group": Elsewhere(
            "Integration/short_integration.py",
            #""names.short-group""#,
            #""groupmod", "-n", "others""#
        ),
        "settings.certificate-lifetime": Elsewhere(
            "ToolTests/SignInSettingsRuleTests.swift",
            #""settings.certificate-lifetime""#
        ),
        "settings.callers": Elsewhere("ToolTests/SignInSettingsRuleTests.swift", #""settings.callers""#),
        "settings.former": Elsewhere("ToolTests/SettingsFilesTests.swift", #""settings.former""#),
        "daemon": Elsewhere("Integration/booted_tool.py", #"told(host, "daemon")"#),
        "daemon.version": Elsewhere(daemons, #""daemon.version""#),
        "daemon.machine": Elsewhere(daemons, #""daemon.machine""#),
        "daemon.machine-unknown": Elsewhere(daemons, #""daemon.machine-unknown""#),
        "daemon.keys-stale": Elsewhere(daemons, #""daemon.keys-stale""#),
        "daemon.no-authority-keys": Elsewhere(daemons, #""daemon.no-authority-keys""#),
        "daemon.checker.NAME": Elsewhere(daemons, #""daemon.checker.pas""#),
        "daemon.clock": Elsewhere(daemons, #""daemon.clock""#),
        "daemon.REASON": Elsewhere(
            "Integration/tool.py",
            #""daemon.no-managed-identity""#,
            #""daemon.identity-may-not-ask""#,
            #""daemon.application-missing""#
        ),
        "daemon.WARNING": Elsewhere("Integration/tool.py", #""daemon.checkers-disagree" not in findings(host)"#),
    ]
    private static let daemons = "ToolTests/DaemonRemedyTests.swift"

    /// An id on the page, with words in capitals for the parts that vary, and the worst severity that it can have.
    struct Listed {
        let id: String
        let worst: Severity

        /// The last part may contain dots, as a unit's name does.
        func fits(_ text: String) -> Bool {
            let parts = id.split(separator: ".")
            let words = text.split(separator: ".", maxSplits: max(parts.count - 1, 0))
            return parts.count == words.count
                && zip(parts, words).allSatisfy { part, word in part == word || part.allSatisfy(\.isUppercase) }
        }
    }

    private static let top = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }

    private func text(_ path: String) throws -> String {
        try LiveMachine(runner: SubprocessRunner()).text(of: "\(Self.top)/\(path)")
    }

    /// The rows of the page's tables: ids in code spans, severity, meaning.
    private func page() throws -> [Listed] {
        try text("Documentation/findings.md").lines.filter { $0.hasPrefix("| `") }.flatMap { line -> [Listed] in
            let cells = line.split(separator: "|")
            let worst = try #require(Severity(rawValue: cells[1].filter { $0 != " " }), "\(line)")
            return cells[0].split(separator: "`").filter { $0.contains(where: \.isLetter) }.map {
                Listed(id: String($0), worst: worst)
            }
        }
    }

    /// The page's entry for a finding: an entry with the same id comes before one with a part that varies.
    private func entry(of id: String, on page: [Listed]) -> Listed? {
        page.first { $0.id == id } ?? page.first { $0.fits(id) }
    }

    @Test("P16: each warning and each error of the page about findings has a remedy that a test carries out")
    func everyID() throws {
        let page = try page()
        try #require(page.count > 90)
        let tested = Set(RemedyTests.allRows.compactMap { entry(of: $0.id, on: page)?.id })
        for listed in page where listed.worst > .note {
            #expect(
                tested.contains(listed.id) != (Self.elsewhere[listed.id] != nil),
                "\(listed.id): a row of RemedyTests, or an entry for the test that carries it out, and not both"
            )
        }
    }

    @Test("P16: no finding that a remedy ends is graver than the page says, and each is on it")
    func severities() throws {
        let page = try page()
        for row in RemedyTests.allRows {
            let listed = try #require(entry(of: row.id, on: page), "\(row.id)")
            #expect(row.severity <= listed.worst, "\(row.id)")
        }
    }

    @Test(
        "A remedy that is said to be carried out elsewhere is: the test is there, with its words",
        arguments: elsewhere.keys
    )
    func isElsewhere(id: String) throws {
        let tested = try #require(Self.elsewhere[id])
        #expect(try page().contains { $0.id == id && $0.worst > .note })
        let text = try text("Tests/\(tested.file)")
        for words in tested.words { #expect(text.contains(words), "\(tested.file): \(words)") }
    }
}
