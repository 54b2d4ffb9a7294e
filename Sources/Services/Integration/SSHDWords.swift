// SPDX-License-Identifier: Apache-2.0

/// Splits a line of sshd's configuration as sshd does (OpenSSH 8.2 to 10, servconf.c and misc.c: `strdelim`,
/// `argv_split`).
///
/// `"Match"`, `Ma"tch"` and `=Match` are the keyword Match to sshd: a parser that reads them differently would overlook
/// them.
package enum SSHDWords {
    /// The keyword in lower case and the text after it; nil for a line in which sshd sees no keyword.
    static func split(_ line: Substring) -> (keyword: String, rest: String)? {
        var bytes = Array(line.utf8)[...]
        while let last = bytes.last, isBlank(last) || last == formFeed { bytes.removeLast() }
        var text: ArraySlice<UInt8>? = bytes.drop(while: isBlank)
        guard var keyword = word(from: &text) else { return nil }
        // One empty first word is skipped.
        if keyword.isEmpty { keyword = word(from: &text) ?? [] }
        guard let first = keyword.first, first != UInt8(ascii: "#") else { return nil }
        let rest = String(decoding: text ?? [], as: UTF8.self)
        return (String(decoding: keyword, as: UTF8.self).lowercased(), rest)
    }

    /// The words of the rest, as any of the versions splits them: since OpenSSH 8.7 by `argv_split`, before by
    /// `strdelim`.
    static func words(of rest: String) -> [String] {
        let newer = arguments(of: rest) ?? []
        var text: ArraySlice<UInt8>? = Array(rest.utf8)[...]
        var older: [String] = []
        while let word = word(from: &text), !word.isEmpty, word[0] != UInt8(ascii: "#") {
            older.append(String(decoding: word, as: UTF8.self))
        }
        return newer + older.filter { !newer.contains($0) }
    }

    /// Words separated by blanks, in quotes of either kind or with `\` before a blank or a quote, up to a `#` that
    /// begins a word; nil if a quote is not closed.
    package static func arguments(of rest: String) -> [String]? {
        var bytes = Array(rest.utf8)[...]
        var words: [String] = []
        while true {
            bytes = bytes.drop { $0 == space || $0 == tab }
            guard let first = bytes.first, first != UInt8(ascii: "#") else { return words }
            guard let word = argument(from: &bytes) else { return nil }
            words.append(String(decoding: word, as: UTF8.self))
        }
    }

    private static func argument(from bytes: inout ArraySlice<UInt8>) -> [UInt8]? {
        var word: [UInt8] = []
        var open: UInt8?
        while let byte = bytes.popFirst() {
            switch byte {
            case backslash:
                let escapes = [UInt8(ascii: "'"), quote, backslash] + (open == nil ? [space] : [])
                guard let next = bytes.first, escapes.contains(next) else {
                    word.append(byte)
                    continue
                }
                word.append(next)
                bytes.removeFirst()
            case space where open == nil, tab where open == nil: return word
            case quote where open == nil, UInt8(ascii: "'") where open == nil: open = byte
            case _ where byte == open: open = nil
            default: word.append(byte)
            }
        }
        return open == nil ? word : nil
    }

    /// `strdelim`: a word ends at a blank, at one `=`, or with the quotes that it holds. Nil at the end, and for a
    /// quote that is not closed.
    private static func word(from text: inout ArraySlice<UInt8>?) -> [UInt8]? {
        guard let all = text else { return nil }
        guard let end = all.firstIndex(where: { isBlank($0) || $0 == quote || $0 == equals }) else {
            text = nil
            return Array(all)
        }
        let rest = all[(end + 1)...]
        guard all[end] == quote else {
            var behind = rest.drop(while: isBlank)
            if all[end] != equals, behind.first == equals { behind = behind.dropFirst().drop(while: isBlank) }
            text = behind
            return Array(all[..<end])
        }
        guard let closing = rest.firstIndex(of: quote) else {
            text = nil
            return nil
        }
        text = rest[(closing + 1)...].drop(while: isBlank)
        return Array(all[..<end]) + Array(rest[..<closing])
    }

    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
    private static let quote = UInt8(ascii: "\"")
    private static let equals = UInt8(ascii: "=")
    private static let backslash = UInt8(ascii: "\\")
    private static let formFeed: UInt8 = 0x0c

    private static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab || byte == UInt8(ascii: "\r") }
}
