// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates sudo's I/O log if it is on for administrators. Finds a later line that turns it off, a sudo without I/O
/// log, and a folder that sudo cannot write, in which case sudo refuses every command (tried with sudo 1.9.13).
struct SudoLogRule: Sendable {
    /// The groups of administrators and of all Entra users.
    let groups: [String]

    private static let defaultFolder = "/var/log/sudo-io"
    private static let switches = ["log_output", "log_input"]

    /// The combined effect of the lines that apply to administrators.
    private struct State {
        /// For each switch that is on, the line that set it.
        var on: [String: String] = [:]
        /// The line that turned a switch off last.
        var off: String?
        var folder = SudoLogRule.defaultFolder
        var ignoresErrors = false
        /// Recordings are sent to another machine.
        var isSent = false
    }

    func evaluate(_ machine: any EnvironmentView) -> [Finding] {
        let files = SudoersFiles(on: machine)
        guard files.unreadable == nil else { return [] }
        var state = State()
        for line in files.lines where line.keyword == "Defaults" { apply(line, to: &state) }
        guard let place = state.on.values.min() else {
            guard let off = state.off else { return [] }
            let found = "sudo's I/O log is switched on for administrators, and off again by a later line"
            return [warning(found, off, "take the line out, or put the one that switches it on behind it")]
        }
        if SudoRsRule.version(machine) != nil {
            return [warning("sudo is sudo-rs, which has no I/O log", place, "use sudo, or record by tlog")]
        }
        if let line = withoutPlugin(machine) {
            let found = "sudo does not load the plugin that writes its I/O log"
            return [warning(found, line, "add there: Plugin sudoers_io sudoers.so")]
        }
        if !state.isSent, let obstacle = obstacle(state.folder, machine) { return [unwritten(obstacle, place, state)] }
        return [Finding(.recordingSudo, .good, "sudo records what administrators' commands show", place: place)]
    }

    /// Lines for all users, for a host, for some users and for a target user apply in the order of the files
    /// (sudoers(5)).
    private func apply(_ line: ConfigurationLine, to state: inout State) {
        guard let words = settings(line.rest) else { return }
        for word in words {
            let isOff = word.first == "!"
            let parts = word.drop { $0 == "!" || $0 == " " }.split(separator: "=", maxSplits: 1)
            let name = parts.first.map { $0.filter { $0 != " " && $0 != "\t" && $0 != "+" } } ?? ""
            let value = parts.count == 2 ? parts[1].filter { !" \t\"".contains($0) } : ""
            switch name {
            case _ where SudoLogRule.switches.contains(name):
                if isOff, state.on.removeValue(forKey: name) != nil { state.off = line.place }
                if !isOff { state.on[name] = line.place }
            case "iolog_dir": state.folder = isOff || value.isEmpty ? SudoLogRule.defaultFolder : value
            case "ignore_iolog_errors": state.ignoresErrors = !isOff
            case "log_servers": state.isSent = !isOff
            default: continue
            }
        }
    }

    /// The settings of a line that applies to administrators, split at commas; nil for another line. `!` also begins a
    /// list of commands, but that goes on with a path or an alias.
    private func settings(_ rest: String) -> [Substring]? {
        var text = rest[...]
        let isCommand = text.first == "!" && !(text.dropFirst().first?.isLowercase ?? true)
        if let kind = text.first, "@:>".contains(kind) || isCommand {
            let list = SudoLogRule.pieces(text.dropFirst().drop { $0 == " " }, endingAt: " \t").first ?? ""
            guard applies(kind, list) else { return nil }
            text = text.dropFirst().drop { $0 == " " }.dropFirst(list.count)
        }
        return SudoLogRule.pieces(text, endingAt: ",").map { $0.drop { $0 == " " || $0 == "\t" } }
    }

    /// A list of commands or hosts covers only a part of what an administrator runs, except `ALL`.
    private func applies(_ kind: Character, _ list: Substring) -> Bool {
        let names = SudoLogRule.pieces(list, endingAt: ",").map { $0.filter { $0 != "\"" } }
        let users = groups.map { "%\($0)" } + ["%:entralogin:administrators", "%#1879048193", "%#1879048192"]
        let wanted =
            switch kind {
            case ":": users
            case ">": ["root", "#0"]
            default: [String]()
            }
        return names.contains("ALL") || names.contains { wanted.contains(String($0)) }
    }

    /// The pieces between characters of `ends` outside double quotes.
    private static func pieces(_ text: Substring, endingAt ends: String) -> [Substring] {
        var pieces: [Substring] = []
        var isQuoted = false
        var begin = text.startIndex
        for index in text.indices {
            if text[index] == "\"" { isQuoted.toggle() }
            guard !isQuoted, ends.contains(text[index]) else { continue }
            pieces.append(text[begin..<index])
            begin = text.index(after: index)
        }
        return pieces + [text[begin...]]
    }

    /// The line of sudo.conf that names a plugin, if none of them is the I/O log: sudo loads all its plugins only if
    /// sudo.conf names none.
    private func withoutPlugin(_ machine: any EnvironmentView) -> String? {
        let path = "/etc/sudo.conf"
        let lines = ((try? machine.text(of: path)) ?? "").lines.enumerated().map { index, line in
            (number: index + 1, words: line.split { $0 == " " || $0 == "\t" })
        }
        let plugins = lines.filter { $0.words.first == "Plugin" && $0.words.count >= 3 }
        guard let policy = plugins.first, !plugins.contains(where: { $0.words[1] == "sudoers_io" }) else { return nil }
        return "\(path):\(policy.number)"
    }

    /// sudo makes the folder and those above it as root. The part from `%` on differs from run to run.
    private func obstacle(_ folder: String, _ machine: any EnvironmentView) -> String? {
        let fixed = folder.prefix { $0 != "%" }
        for path in HomeRule.folders(above: "\(fixed)/x").reversed() {
            guard let status = try? machine.status(of: path) else { continue }
            guard status.kind == .folder else { return "\(path) is no folder" }
            guard let space = machine.space(of: path) else { return nil }
            guard !space.isReadOnly else { return "nothing can be written to \(path)" }
            return space.freeBytes == 0 ? "there is no room at \(path)" : nil
        }
        return nil
    }

    private func unwritten(_ obstacle: String, _ place: String, _ state: State) -> Finding {
        let effect =
            state.ignoresErrors
            ? "sudo goes on without recording" : "administrators have no sudo, since it cannot be recorded"
        return Finding(
            .recordingSudo,
            state.ignoresErrors ? .warning : .error,
            "\(effect): \(obstacle)",
            place: place,
            needed: "a folder that root can write",
            remedy: "make room for sudo's I/O log there, or name another folder in iolog_dir="
        )
    }

    private func warning(_ found: String, _ place: String, _ remedy: String) -> Finding {
        Finding(.recordingSudo, .warning, "\(found): nothing is recorded", place: place, remedy: remedy)
    }
}
