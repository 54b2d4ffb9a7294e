// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates the other directories beside entralogin in nsswitch.conf: sss, winbind, ldap and the like. Their accounts
/// win where they are listed before entralogin (P7); behind it, they would lose.
struct NeighbourRule: Sendable {
    private static let locals: Set<String> = [
        "files", "compat", "db", "altfiles", "systemd", "entralogin", "entralogin_short", "cache",
    ]

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard let text = try? machine.text(of: NameServiceRule.path) else { return [] }
        let lines = NameServiceRule.databases(of: text)
        return ["passwd", "group"].compactMap { database in lines[database].map { evaluate(database, $0) } ?? nil }
    }

    /// The services of other directories that are asked for a database, as nsswitch.conf has them.
    static func others(on machine: any HostView, database: String) -> [String] {
        let text = (try? machine.text(of: NameServiceRule.path)) ?? ""
        return others(in: NameServiceRule.databases(of: text)[database]?.words ?? [])
    }

    private static func others(in words: [String]) -> [String] {
        words.filter { !$0.hasPrefix("[") && !locals.contains($0) }
    }

    private func evaluate(_ database: String, _ line: (number: Int, words: [String])) -> Finding? {
        let place = "\(NameServiceRule.path):\(line.number)"
        let others = NeighbourRule.others(in: line.words)
        guard !others.isEmpty, let position = line.words.firstIndex(where: NameServiceRule.services.contains) else {
            return nil
        }
        let late = others.filter { other in line.words[position...].contains(other) }
        guard let first = late.first else {
            let names = others.joined(separator: ", ")
            return Finding(
                .neighbour(database),
                .note,
                "\(database): \(names) stands before entralogin: its accounts win over Entra accounts of the same name",
                place: place,
                needed: "where its names have an @, Domains= with Entra's: sshd's block goes by the name alone"
            )
        }
        return Finding(
            .neighbour(database),
            .warning,
            "\(database): \(first) stands behind entralogin, so an Entra account hides its account of the same name",
            place: place,
            needed: "\(database): files … \(first) … entralogin",
            remedy: "write entralogin last on that line"
        )
    }
}
