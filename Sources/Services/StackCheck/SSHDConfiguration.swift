// SPDX-License-Identifier: Apache-2.0

/// What `sshd -T -C user=…` prints: the configuration that this person would meet. Keywords are in lower case; those
/// that may stand more than once keep all their values.
struct SSHDConfiguration: Sendable {
    private var values: [String: [String]] = [:]

    init(_ output: String) {
        for line in output.lines {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard let keyword = parts.first else { continue }
            let value = parts.count == 2 ? String(parts[1]) : ""
            values[keyword.lowercased(), default: []].append(value)
        }
    }

    /// The only value of a keyword; nil where it is absent or stands more than once.
    func value(of keyword: String) -> String? {
        guard let all = values[keyword], all.count == 1 else { return nil }
        return all[0]
    }

    /// Every word of a keyword that may stand more than once (`AllowGroups`), in order.
    func words(of keyword: String) -> [String] {
        (values[keyword] ?? []).flatMap { $0.split(separator: " ").map(String.init) }
    }

    var isEmpty: Bool { values.isEmpty }
}

/// The files that sshd reads, in its order: `sshd_config` and what its `Include` lines name (sshd_config(5)).
struct SSHDFiles: Sendable {
    struct Line: Hashable, Sendable {
        var keyword: String
        var rest: String
        var file: String
        var number: Int

        var place: String { "\(file):\(number)" }
    }

    static let main = "/etc/ssh/sshd_config"
    static let dropIn = "/etc/ssh/sshd_config.d/00-entralogin.conf"
    private static let deepest = 16

    /// Every line with a keyword, in reading order; `include` lines are replaced by what they name.
    private(set) var lines: [Line] = []
    /// Every file that was read.
    private(set) var files: [String] = []
    /// Folders in which a new file would be read too.
    private(set) var folders: [String] = []
    /// The first that could not be read; nothing is read behind it.
    private(set) var unreadable: String?

    init(on machine: any MachineView) { add(SSHDFiles.main, on: machine, depth: 0) }

    private mutating func add(_ path: String, on machine: any MachineView, depth: Int) {
        // A file that names itself twice would otherwise be read 2 to the power of `deepest` times.
        guard unreadable == nil else { return }
        guard depth < SSHDFiles.deepest, let text = try? machine.text(of: path) else {
            unreadable = path
            return
        }
        if !files.contains(path) { files.append(path) }
        for (index, raw) in text.lines.enumerated() {
            guard let line = SSHDFiles.split(raw, file: path, number: index + 1) else { continue }
            guard line.keyword == "include" else {
                lines.append(line)
                continue
            }
            for pattern in SSHDFiles.words(of: line.rest) { include(pattern, on: machine, depth: depth + 1) }
        }
    }

    private mutating func include(_ pattern: String, on machine: any MachineView, depth: Int) {
        let absolute = pattern.hasPrefix("/") ? pattern : "/etc/ssh/\(pattern)"
        let slash = absolute.lastIndex(of: "/") ?? absolute.startIndex
        let folder = slash == absolute.startIndex ? "/" : String(absolute[..<slash])
        if !folders.contains(folder) { folders.append(folder) }
        for path in machine.paths(matching: absolute) { add(path, on: machine, depth: depth) }
    }

    /// sshd takes `Keyword value`, `Keyword=value` and blanks around them; a line that begins with `#` is a comment.
    private static func split(_ raw: Substring, file: String, number: Int) -> Line? {
        let text = raw.drop { $0 == " " || $0 == "\t" }
        guard let first = text.first, first != "#" else { return nil }
        let keyword = text.prefix { $0 != " " && $0 != "\t" && $0 != "=" }
        let rest = text.dropFirst(keyword.count).drop { $0 == " " || $0 == "\t" || $0 == "=" }
        return Line(keyword: keyword.lowercased(), rest: String(rest), file: file, number: number)
    }

    /// Words, quoted ones taken out of their quotes, up to a comment.
    private static func words(of text: String) -> [String] {
        text.prefix { $0 != "#" }
            .split { $0 == " " || $0 == "\t" || $0 == "\r" }
            .map { $0.filter { $0 != "\"" } }
            .filter { !$0.isEmpty }
    }
}
