// SPDX-License-Identifier: Apache-2.0

/// One line of a configuration, with its file.
package struct ConfigurationLine: Hashable, Sendable, Codable {
    /// Its first word, in the form in which its program compares it.
    package var keyword: String
    /// The text after the keyword, as written.
    package var rest: String
    package var file: String
    /// From 1.
    package var number: Int

    package var place: String { "\(file):\(number)" }
}

/// The files that sshd reads, in its order: `sshd_config` and the files of its `Include` lines (sshd_config(5)).
package struct SSHDFiles: Sendable {
    package typealias Line = ConfigurationLine

    package static let main = "/etc/ssh/sshd_config"
    package static let dropIn = "/etc/ssh/sshd_config.d/00-entralogin.conf"
    /// servconf.c, SERVCONF_MAX_DEPTH.
    private static let deepest = 16
    /// The most files read, counting repeats: includes that double at each level must not take for ever.
    private static let mostReadings = 4096

    /// Every line with a keyword, in reading order; `include` lines are replaced by the lines of their files.
    package private(set) var lines: [ConfigurationLine] = []
    /// Every file that was read.
    private(set) var files: [String] = []
    /// Folders in which a new file would be read, too.
    private(set) var folders: [String] = []
    /// The first file that could not be read as sshd reads it; nothing is read after it.
    package private(set) var unreadable: String?
    private var readings = 0

    package init(on machine: any HostView) { add(SSHDFiles.main, on: machine, depth: 0) }

    private mutating func add(_ path: String, on machine: any HostView, depth: Int) {
        guard unreadable == nil else { return }
        readings += 1
        // To sshd, a NUL ends the line's text, and the rest of the line is lost.
        guard depth < SSHDFiles.deepest, readings <= SSHDFiles.mostReadings, let text = try? machine.text(of: path),
            !text.utf8.contains(0)
        else {
            unreadable = path
            return
        }
        if !files.contains(path) { files.append(path) }
        for (index, raw) in text.lines.enumerated() {
            guard let (keyword, rest) = SSHDWords.split(raw) else { continue }
            guard keyword == "include" else {
                lines.append(Line(keyword: keyword, rest: rest, file: path, number: index + 1))
                continue
            }
            for pattern in SSHDWords.words(of: rest) { include(pattern, on: machine, depth: depth + 1) }
        }
    }

    /// sshd does not expand a path that begins with `~`: it is relative to its working directory, / for a service.
    private mutating func include(_ pattern: String, on machine: any HostView, depth: Int) {
        let absolute = pattern.hasPrefix("/") ? pattern : pattern.hasPrefix("~") ? "/\(pattern)" : "/etc/ssh/\(pattern)"
        note(SSHDFiles.fixedFolder(of: absolute))
        for path in machine.paths(matching: absolute) {
            note(SSHDFiles.folder(of: path[...]))
            add(path, on: machine, depth: depth)
        }
    }

    private mutating func note(_ folder: String) {
        if !folders.contains(folder) { folders.append(folder) }
    }

    /// The deepest folder that the pattern names without a wildcard: the pattern may also match a new folder in it.
    private static func fixedFolder(of pattern: String) -> String {
        folder(of: pattern.prefix { !"*?[\\".contains($0) })
    }

    private static func folder(of path: Substring) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
