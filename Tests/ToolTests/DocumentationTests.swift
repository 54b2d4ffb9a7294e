// SPDX-License-Identifier: Apache-2.0

import AccountAudit
import Authorization
import Integration
import Settings
import Testing
import Wire

@testable import entraloginctl

/// Compares pages, completions and catalog with the tables of the code: every interface must be documented.
struct DocumentationTests {
    private static let top = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }

    private func text(_ path: String) throws -> String {
        try LiveMachine(runner: SubprocessRunner()).text(of: "\(Self.top)/\(path)")
    }

    private func words(_ text: Substring) -> [String] {
        let isPart = { (character: Character) in character.isLetter || character.isNumber || "-_.".contains(character) }
        return text.split(whereSeparator: { !isPart($0) }).map(String.init)
    }

    private var verbs: Set<String> { Set(CommandTable.all.map(\.verb)) }

    /// The second words of commands, as of `users` and `audit`.
    private var secondWords: Set<String> {
        let entries = CommandTable.all.filter { $0.words != $0.verb }
        return Set(entries.compactMap { $0.words.split(separator: " ").last.map(String.init) })
    }

    @Test("The man page has every command with its options, and no other")
    func manPage() throws {
        let lines = try text("packaging/man/entraloginctl.1").split(separator: "\n").filter { $0.hasPrefix(".It Cm ") }
        let documented = lines.map { line -> String in
            let words = line.split(separator: " ").dropFirst(2).map(String.init)
            let verb = words.first ?? ""
            guard CommandTable.all.contains(where: { $0.verb == verb && $0.words != verb }) else { return verb }
            let second = words.dropFirst().first { !["Op", "Cm", "Ar"].contains($0) }
            return second.map { "\(verb) \($0)" } ?? verb
        }
        #expect(documented.sorted() == CommandTable.all.map(\.words).sorted())
        for entry in CommandTable.all {
            let last = entry.words.split(separator: " ").last.map(String.init) ?? ""
            let line = try #require(lines.first { words($0).contains(last) }, "\(entry.words)")
            for option in entry.options {
                #expect(line.contains("Fl Fl \(option.dropFirst(2))"), "\(entry.words) \(option)")
            }
        }
    }

    @Test(
        "Each shell completes every command, every second word and every option",
        arguments: ["bash", "zsh", "fish"]
    )
    func completions(file: String) throws {
        let completion = try text("packaging/completions/\(file)")
        let known = Set(words(completion[...]))
        for word in verbs.union(secondWords) { #expect(known.contains(word), "\(word)") }
        for option in CommandTable.all.flatMap(\.options) + CommandTable.common {
            #expect(completion.contains(option) || completion.contains("-l \(option.dropFirst(2)) "), "\(option)")
        }
    }

    @Test(
        "Settings: page and man page list the keys that there are, and no other",
        arguments: ["packaging/man/entralogin.conf.5", "Documentation/settings.md"]
    )
    func settings(page: String) throws {
        let starts = [".It Ic ", "| `"]
        let keys = try text(page).split(separator: "\n").compactMap { line -> String? in
            guard let start = starts.first(where: line.hasPrefix) else { return nil }
            let word = line.dropFirst(start.count).prefix { $0.isLetter }
            return line.dropFirst(start.count + word.count).first == "=" ? String(word) : nil
        }
        #expect(keys == SettingsKey.all.map(\.name))
    }

    @Test(
        "Settings: page and man page name each access checker, key source and service",
        arguments: ["packaging/man/entralogin.conf.5", "Documentation/settings.md"]
    )
    func choices(page: String) throws {
        let plain = try text(page).replacing("\\-", with: "-")
        let words = Set(plain.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init))
        let names =
            AccessCheckerName.allCases.map(\.rawValue) + KeySourceName.allCases.map(\.rawValue)
            + DeviceServiceName.allCases.map(\.rawValue)
        for name in names { #expect(words.contains(name), "\(name)") }
    }

    @Test(
        "Every command that a page names is one",
        arguments: [
            "README.md", "SECURITY.md", "ARCHITECTURE.md", "Documentation/troubleshooting.md",
            "Documentation/records.md", "Documentation/settings.md", "Documentation/json.md",
            "Documentation/migration.md",
            "packaging/catalog/entralogin.catalog",
        ]
    )
    func pages(page: String) throws {
        for mention in try text(page).split(separator: "entraloginctl ", omittingEmptySubsequences: false).dropFirst() {
            let verb = String(mention.prefix { $0.isLowercase || $0 == "-" })
            guard !verb.isEmpty, !verb.hasPrefix("-") else { continue }
            #expect(verbs.contains(verb), "\(page): \(verb)")
        }
    }

    @Test(
        "P15: every query for records names the daemon's unit, which journald sets: other fields are anybody's words",
        arguments: [
            "README.md", "Documentation/records.md", "Documentation/troubleshooting.md", "Documentation/people.md",
            "Documentation/bad-days.md", "packaging/man/entralogind.8", "packaging/man/entraloginctl.1",
            "packaging/extension/lib/sign-in.sh", "Sources/Programs/entraloginctl/DaemonFindings.swift",
        ]
    )
    func queries(page: String) throws {
        for query in try text(page).split(separator: "journalctl ", omittingEmptySubsequences: false).dropFirst() {
            let words = query.prefix { !$0.isNewline && !"`;,".contains($0) }
            let isForRecords = ["ENTRALOGIN_", "entralogind", "$DAEMON"].contains { words.contains($0) }
            let units = ["-u entralogind", "-u $DAEMON", "_SYSTEMD_UNIT=entralogind.service"]
            #expect(!isForRecords || units.contains { words.contains($0) }, "\(page): journalctl \(words)")
        }
    }

    @Test("Every field of every JSON document is on the page about them")
    func documents() throws {
        let page = try text("Documentation/json.md")
        let documents: [Any] = [
            StatusReport(version: "", startedAt: 0, isReady: true), TokenReport(audience: ""),
            MachineReport(cloud: "", kind: "", resource: "", tenant: "", name: ""), CheckerReport(name: "", state: ""),
            KeysReport(), ConfirmationsReport(), AccountsReport(), DecisionsReport(), AuditReport(),
            RecordsReport(),
            OutcomeReport(event: "", decision: "", reason: nil, count: 0),
            ReportedWarning(id: .cloud, isGrave: false, text: "", remedy: ""), FindingsReport([]),
            Finding(.sshd, .good, ""),
            Explanation(name: "", steps: []), Explanation.Step("", .ok, ""), RoleCheckReport(name: "", objectID: ""),
            CheckerAnswer(checker: "", latencyMilliseconds: 0, correlationID: ""),
            CertificateReport(isAcceptable: true, text: ""), ReportedStep("", .good, ""),
            TrialReport(certificate: CertificateReport(isAcceptable: true, text: "")),
            SessionsReport(sessions: [], total: 0), KeyListReport(keys: [], total: 0),
            SessionReport(name: "", uid: 0, pid: 0, openedAt: 0, isAdministrator: false),
            KeyReport(fingerprint: "", type: "", source: "", confirmedAt: 0),
            UserReport(name: "", uid: 0, objectID: "", displayName: "", home: "", enrolledAt: 0),
            PersonLogReport(name: "", records: []), LoggedDecision(time: 0, event: "", message: ""),
            EndedSessionsReport(name: "", uid: 0, ended: 0, left: 0, others: []),
            OtherProcessReport(pid: 0, uid: 0, command: ""),
            SettingReport(key: "", value: "", origin: nil), AccessReport(),
            AccessEntry(objectID: "", kind: "", role: "", scopes: []),
            AccountAuditReport(accounts: [], allowedInVain: [], problems: []),
        ]
        for document in documents {
            let fields = Mirror(reflecting: document).children.compactMap(\.label)
            #expect(!fields.isEmpty, "\(type(of: document))")
            for field in fields { #expect(page.contains("`\(field)`"), "\(type(of: document)): \(field)") }
        }
    }

    @Test("P15: catalog and page of records have every event with its id, and no other")
    func events() throws {
        let catalog = try text("packaging/catalog/entralogin.catalog").split(separator: "\n")
        let ids = catalog.filter { $0.hasPrefix("-- ") }.map { String($0.dropFirst(3)) }
        #expect(ids.sorted() == RecordedEvent.allCases.map(\.messageID).sorted())
        #expect(catalog.count { $0.hasPrefix("Subject: ") } == ids.count && Set(ids).count == ids.count)
        let rows = try text("Documentation/records.md").split(separator: "\n")
        for event in RecordedEvent.allCases {
            #expect(rows.contains { $0.hasPrefix("| `\(event.rawValue)` | \(event.messageID) |") }, "\(event)")
        }
        for reason in DenialReason.allCases {
            #expect(rows.contains { $0.hasPrefix("| `\(reason.rawValue)` |") }, "\(reason)")
        }
    }
}
