// SPDX-License-Identifier: Apache-2.0

/// The lines that sudo reads, in its order: /etc/sudoers and what it includes (sudoers(5), "Including other files").
///
/// Shows the lines in force, for an administrator who decides whether to change them; sudo itself reports their effect
/// (`sudo -l`). If versions of sudo differ, this reads rather a line too many than one too few.
package struct SudoersFiles: Sendable {
    package static let main = "/etc/sudoers"
    /// sudo's own limit (MAX_SUDOERS_DEPTH).
    private static let deepest = 128
    private static let mostReadings = 4096

    /// Every line but comments, with includes expanded. The keyword of a line that changes defaults is `Defaults`,
    /// whatever follows it without a blank (`Defaults:alice`); of any other line, the first word.
    package private(set) var lines: [ConfigurationLine] = []
    /// The first file that could not be read; nothing is read after it.
    package private(set) var unreadable: String?
    private let host: String
    private var readings = 0

    package init(on machine: any HostView) {
        let name = (try? machine.text(of: "/proc/sys/kernel/hostname")) ?? ""
        host = String(name.prefix { $0 != "." && $0 != "\n" })
        add(SudoersFiles.main, on: machine, depth: 0)
    }

    private mutating func add(_ path: String, on machine: any HostView, depth: Int) {
        guard unreadable == nil else { return }
        readings += 1
        guard depth < SudoersFiles.deepest, readings <= SudoersFiles.mostReadings,
            let text = try? machine.text(of: path)
        else {
            unreadable = path
            return
        }
        for (number, line) in SudoersFiles.logicalLines(of: text) {
            let word = line.prefix { $0 != " " && $0 != "\t" }
            let rest = line.dropFirst(word.count).drop { $0 == " " || $0 == "\t" }
            switch word {
            case "@include", "#include": include(rest, from: path, on: machine, depth: depth)
            case "@includedir", "#includedir": includeFolder(rest, from: path, on: machine, depth: depth)
            case _ where word.hasPrefix("#"): continue
            default:
                let keyword = SudoersFiles.changesDefaults(word) ? "Defaults" : String(word)
                let shown = line.dropFirst(keyword.count).drop { $0 == " " || $0 == "\t" }
                lines.append(ConfigurationLine(keyword: keyword, rest: String(shown), file: path, number: number))
            }
        }
    }

    private static func changesDefaults(_ word: Substring) -> Bool {
        guard word.hasPrefix("Defaults") else { return false }
        return word.dropFirst("Defaults".count).first.map { "@:!>\"".contains($0) } ?? true
    }

    /// A missing file is skipped, as sudo skips it.
    private mutating func include(_ text: Substring, from file: String, on machine: any HostView, depth: Int) {
        let path = absolute(text, from: file)
        if machine.exists(path) { add(path, on: machine, depth: depth + 1) }
    }

    /// sudo skips names with a dot or with `~` at the end.
    private mutating func includeFolder(_ text: Substring, from file: String, on machine: any HostView, depth: Int) {
        let folder = absolute(text, from: file)
        let pattern =
            folder.flatMap { "*?[\\".contains($0) ? "\\\($0)" : "\($0)" } + (folder.hasSuffix("/") ? "*" : "/*")
        for path in machine.paths(matching: String(pattern)) {
            let name = path[(path.lastIndex(of: "/") ?? path.startIndex)...]
            guard !name.contains("."), !name.hasSuffix("~"), (try? machine.status(of: path))?.kind == .file else {
                continue
            }
            add(path, on: machine, depth: depth + 1)
        }
    }

    /// Removes quotes and backslashes, replaces `%h` by the host's short name, and resolves a relative path in the
    /// file's folder.
    private func absolute(_ text: Substring, from file: String) -> String {
        var path = ""
        var rest = text[...]
        while let last = rest.last, last == " " || last == "\t" || last == "\r" { rest.removeLast() }
        while let next = rest.popFirst() {
            switch next {
            case "\"": continue
            case "\\": if let escaped = rest.popFirst() { path.append(escaped) }
            case "%" where rest.first == "h":
                rest.removeFirst()
                path += host
            case "%" where rest.first == "%": path.append(rest.removeFirst())
            default: path.append(next)
            }
        }
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// Lines without leading blanks; a line that ends in `\` is joined with the next.
    private static func logicalLines(of text: String) -> [(number: Int, text: Substring)] {
        var result: [(number: Int, text: Substring)] = []
        var pending: (number: Int, text: String)?
        for (index, raw) in text.lines.enumerated() {
            var line = pending.map { $0.text + raw } ?? String(raw)
            let number = pending?.number ?? index + 1
            pending = nil
            if line.hasSuffix("\\") {
                line.removeLast()
                pending = (number, line)
                continue
            }
            let begun = line.drop { $0 == " " || $0 == "\t" }
            if !begun.isEmpty { result.append((number, begun)) }
        }
        if let pending { result.append((pending.number, pending.text[...])) }
        return result
    }
}
