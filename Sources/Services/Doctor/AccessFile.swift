// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// access.conf as pam_access(8) reads it: the first line that matches decides, and without a match the user passes.
/// Linux-PAM up to 1.7 reads a name with an @ as user@host, so it matches no Entra account unless it is in parentheses,
/// which mark groups.
struct AccessFile: Sendable {
    struct Line: Sendable {
        var isAllowing: Bool
        var users: [String]
        var origins: [String]
        var place: String
    }

    private enum Fit {
        case yes
        case no
        /// It depends on the version of PAM, or on the client's address.
        case open
    }

    private(set) var lines: [Line] = []
    /// Why the lines cannot be evaluated; nil if they can.
    private(set) var obstacle: String?

    init(_ arguments: [String], on machine: any HostView) {
        let named = arguments.first { $0.hasPrefix("accessfile=") }.map { String($0.dropFirst("accessfile=".count)) }
        if arguments.contains(where: { $0.hasPrefix("fieldsep=") || $0.hasPrefix("listsep=") }) {
            obstacle = "its line has separators of its own"
            return
        }
        let files =
            named.map { [$0] } ?? ["/etc/security/access.conf"]
            + machine.paths(matching: "/etc/security/access.d/*.conf")
        for file in files {
            guard let text = try? machine.text(of: file) else {
                if named != nil || file != "/etc/security/access.conf" { obstacle = "\(file) cannot be read" }
                continue
            }
            lines += AccessFile.lines(of: text, file)
        }
    }

    private static func lines(of text: String, _ file: String) -> [Line] {
        text.lines.enumerated().compactMap { index, raw in
            guard raw.first != "#" else { return nil }
            // `permission : users : origins`; an origin may hold colons.
            let fields = raw.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, let sign = words(fields[0]).first, ["+", "-"].contains(sign) else { return nil }
            return Line(
                isAllowing: sign == "+",
                users: words(fields[1]),
                origins: words(fields[2]),
                place: "\(file):\(index + 1)"
            )
        }
    }

    private static func words(_ text: Substring) -> [String] {
        text.split { $0 == " " || $0 == "\t" || $0 == "," || $0 == "\r" }.map(String.init)
    }

    /// The module's answer for a user who signs in over the network.
    func answer(for name: String, groups: [String]) -> ModuleAnswer {
        if let obstacle { return .unknown(obstacle) }
        for line in lines {
            let user = fit(line.users) { AccessFile.fits($0, name, groups) }
            guard user != .no else { continue }
            let origin = fit(line.origins, AccessFile.fitsOrigin)
            guard origin != .no else { continue }
            guard user == .yes, origin == .yes else {
                return .unknown("\(line.place) decides by the version of PAM, or by where the user comes from")
            }
            guard !line.isAllowing else { return .passes }
            let remedy =
                "a line above it: + : (\(groups.first ?? "entra_users")) : ALL (a name with an @ is not found there)"
            return .refuses("\(line.place)", remedy: remedy)
        }
        return .passes
    }

    /// `A B EXCEPT C D`.
    private func fit(_ words: [String], _ fits: (String) -> Fit) -> Fit {
        let parts = words.split(separator: "EXCEPT", maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
        let named = AccessFile.any(parts.first ?? [], fits)
        guard named != .no, parts.count == 2 else { return named }
        switch fit(parts[1], fits) {
        case .yes: return .no
        case .no: return named
        case .open: return .open
        }
    }

    private static func any(_ words: [String], _ fits: (String) -> Fit) -> Fit {
        let found = words.map(fits)
        return found.contains(.yes) ? .yes : found.contains(.open) ? .open : .no
    }

    private static func fits(_ word: String, _ name: String, _ groups: [String]) -> Fit {
        if word.uppercased() == "ALL" { return .yes }
        if word.hasPrefix("("), word.hasSuffix(")") {
            return groups.contains(String(word.dropFirst().dropLast())) ? .yes : .no
        }
        // @netgroup
        if word.hasPrefix("@") { return .no }
        if word.contains("@") { return word.lowercased() == name ? .open : .no }
        return word == name || groups.contains(word) ? .yes : .no
    }

    private static func fitsOrigin(_ word: String) -> Fit {
        switch word.uppercased() {
        case "ALL": .yes
        case "LOCAL": .no
        default: word.hasPrefix("tty") || word.hasPrefix(":") || word == "cron" ? .no : .open
        }
    }
}
