// SPDX-License-Identifier: Apache-2.0

/// One line of a PAM stack, with its place.
package struct PAMEntry: Hashable, Sendable {
    /// The file name of the module without its folder: `pam_unix.so`; the service of a `substack`.
    package var module: String
    /// The module as written: in libpam's folder, or an absolute path.
    package var path: String
    package var control: PAMControl
    package var arguments: [String]
    var file: String
    var line: Int
    /// Written with a `-` before the type: libpam skips the module if it does not find it.
    package var mayBeMissing = false

    package var place: String { "\(file):\(line)" }
}

/// Why a stack could not be read.
package struct PAMStackError: Error, Hashable, Sendable {
    package var place: String
    package var problem: String
}

/// The lines of one type (`account`, `session`) that libpam runs for one service, with includes expanded.
///
/// The lines of a `substack` are left out: whatever happens there, the stack goes on after it (pam.conf(5)), so nothing
/// in it can skip a later line. entralogin's line in a substack could only end the substack: it counts as missing.
package struct PAMStack: Sendable {
    package private(set) var entries: [PAMEntry] = []
    /// Every file that was read, substacks included.
    package private(set) var files: [String] = []
    /// The places of substacks that contain entralogin's module.
    package private(set) var modulesInSubstacks: [String] = []

    private let type: String
    private let machine: any HostView

    /// The folders that libpam searches, in this order; distributions with a read-only /etc use the second.
    package static let folders = ["/etc/pam.d", "/usr/lib/pam.d"]
    package static let entraloginModule = "pam_entralogin.so"
    private static let deepest = 16

    package init(service: String, type: String, on machine: any HostView) throws(PAMStackError) {
        self.type = type
        self.machine = machine
        try add(service, onlyType: nil, depth: 0, includedAt: nil)
    }

    private mutating func add(
        _ service: String,
        onlyType: String?,
        depth: Int,
        includedAt place: String?
    ) throws(PAMStackError) {
        guard depth < PAMStack.deepest else {
            throw PAMStackError(place: place ?? service, problem: "includes more than \(PAMStack.deepest) deep")
        }
        let (path, text) = try read(service, includedAt: place)
        if !files.contains(path) { files.append(path) }
        for line in PAMLine.lines(of: text, file: path) {
            try add(line, onlyType: onlyType, depth: depth)
        }
    }

    private mutating func add(_ line: PAMLine, onlyType: String?, depth: Int) throws(PAMStackError) {
        if line.words.first == "@include" {
            guard line.words.count == 2 else { throw line.misread("@include without one name") }
            return try add(line.words[1], onlyType: onlyType, depth: depth + 1, includedAt: line.place)
        }
        guard line.words.count >= 3 else { throw line.misread("fewer than three words") }
        let lineType = line.words[0].drop { $0 == "-" }.lowercased()
        guard lineType == type else { return }
        let module = PAMStack.name(of: line.words[2])
        switch line.words[1].lowercased() {
        case "include":
            try add(line.words[2], onlyType: type, depth: depth + 1, includedAt: line.place)
        case "substack":
            try addSubstack(line, depth: depth)
        default:
            guard let control = PAMControl(line.words[1]) else { throw line.misread("control '\(line.words[1])'") }
            entries.append(
                PAMEntry(
                    module: module,
                    path: line.words[2],
                    control: control,
                    arguments: Array(line.words.dropFirst(3)),
                    file: line.file,
                    line: line.number,
                    mayBeMissing: line.words[0].hasPrefix("-")
                )
            )
        }
    }

    private mutating func addSubstack(_ line: PAMLine, depth: Int) throws(PAMStackError) {
        let service = line.words[2]
        var inner = self
        inner.entries = []
        try inner.add(service, onlyType: type, depth: depth + 1, includedAt: line.place)
        for file in inner.files where !files.contains(file) { files.append(file) }
        if inner.entries.contains(where: { $0.module == PAMStack.entraloginModule }) {
            modulesInSubstacks.append(line.place)
        }
        modulesInSubstacks += inner.modulesInSubstacks.filter { !modulesInSubstacks.contains($0) }
        // For a jump, the whole substack counts as one entry.
        guard let control = PAMControl("required") else { return }
        entries.append(
            PAMEntry(
                module: "substack \(service)",
                path: service,
                control: control,
                arguments: [],
                file: line.file,
                line: line.number
            )
        )
    }

    private func read(_ service: String, includedAt place: String?) throws(PAMStackError) -> (String, String) {
        let candidates = service.hasPrefix("/") ? [service] : PAMStack.folders.map { "\($0)/\(service)" }
        for path in candidates {
            do throws(FileAbsence) {
                return (path, try machine.text(of: path))
            } catch {
                guard error == .absent else { throw PAMStackError(place: path, problem: "cannot be read") }
            }
        }
        throw PAMStackError(place: place ?? candidates[0], problem: "there is no \(service)")
    }

    private static func name(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}

/// A logical line of a PAM file, as words; brackets hold a word together.
struct PAMLine: Sendable {
    var words: [String]
    var file: String
    var number: Int

    var place: String { "\(file):\(number)" }

    func misread(_ problem: String) -> PAMStackError { PAMStackError(place: place, problem: problem) }

    /// The lines that are not empty, without comments. A line that ends in `\`, with or without blanks after it, is
    /// joined with the next.
    static func lines(of text: String, file: String) -> [PAMLine] {
        var result: [PAMLine] = []
        var pending = ""
        var start = 0
        for (index, raw) in text.lines.enumerated() {
            if pending.isEmpty { start = index + 1 }
            var line = raw.prefix { $0 != "#" }
            while let last = line.last, last == " " || last == "\t" { line.removeLast() }
            if line.hasSuffix("\\") {
                pending += line.dropLast() + " "
                continue
            }
            let words = split(pending + line)
            pending = ""
            if !words.isEmpty { result.append(PAMLine(words: words, file: file, number: start)) }
        }
        let rest = split(pending)
        if !rest.isEmpty { result.append(PAMLine(words: rest, file: file, number: start)) }
        return result
    }

    private static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var bracketed = false
        for character in text {
            if !bracketed, character == " " || character == "\t" {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            if character == "[" { bracketed = true }
            if character == "]" { bracketed = false }
            word.append(character)
        }
        if !word.isEmpty { words.append(word) }
        return words
    }
}
