// SPDX-License-Identifier: Apache-2.0

/// Removes secrets from a text that leaves the machine (P12): what has the form of one, wherever it stands. A report
/// should hold none; this catches those that are in a log or a setting by mistake.
enum Redaction {
    private static let mark = "***"
    /// What follows one of these, up to a blank, a quote or an ampersand, is a secret.
    private static let openings = [
        "bearer ", "authorization: basic ", "sig=", "sharedaccesskey=", "accountkey=",
    ].map { Array($0.utf8) }
    /// So is the value of one of these: `NAME=`, or a quoted name and a colon as JSON has it, with blanks or without. A
    /// bare name and a colon stands in nsswitch.conf(5), and before the text of many an error.
    private static let names = [
        "password", "passwd", "secret", "client_secret", "access_token", "refresh_token", "id_token",
    ].map { Array($0.utf8) }

    static func clean(_ text: String) -> String {
        var isInKey = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.contains("-----BEGIN") && line.contains("PRIVATE KEY") { isInKey = true }
            guard !isInKey else {
                if line.contains("-----END") { isInKey = false }
                return mark
            }
            return cleanLine(String(line))
        }.joined(separator: "\n")
    }

    private static func cleanLine(_ line: String) -> String {
        let bytes = Array(line.utf8)
        let folded = bytes.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard let value = valueStart(in: folded, at: index) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            result += bytes[index..<value] + Array(mark.utf8)
            index = value
            while index < bytes.count, !" \t\"'&,;".utf8.contains(bytes[index]) { index += 1 }
        }
        return words(String(decoding: result, as: UTF8.self))
    }

    /// Where the secret begins that an opening at `index` announces; nil if none stands there.
    private static func valueStart(in line: [UInt8], at index: Int) -> Int? {
        if let opening = openings.first(where: { line[index...].starts(with: $0) }) { return index + opening.count }
        guard let name = names.first(where: { line[index...].starts(with: $0) }) else { return nil }
        var position = index + name.count
        func skip(_ bytes: String) {
            while position < line.count, bytes.utf8.contains(line[position]) { position += 1 }
        }
        let isQuoted = position < line.count && "\"'".utf8.contains(line[position])
        skip("\"' \t")
        guard position < line.count, (isQuoted ? ":=" : "=").utf8.contains(line[position]) else { return nil }
        position += 1
        skip("\"' \t")
        return position
    }

    /// Within words: a web token, and what stands before the @ in a URL.
    private static func words(_ line: String) -> String {
        line.split(separator: " ", omittingEmptySubsequences: false).map { word in
            var word = String(word)
            while let token = webToken(in: word) { word.replaceSubrange(token, with: mark) }
            if let scheme = word.firstRange(of: "://"),
                let at = word[scheme.upperBound...].prefix(while: { $0 != "/" }).lastIndex(of: "@")
            {
                word.replaceSubrange(scheme.upperBound..<at, with: mark)
            }
            return word
        }.joined(separator: " ")
    }

    /// `eyJ…`: three parts of base64url, or what is left of them (RFC 7519).
    private static func webToken(in word: String) -> Range<String.Index>? {
        var rest = word[...]
        while let start = rest.firstRange(of: "eyJ") {
            let end = rest[start.lowerBound...].firstIndex { !isTokenCharacter($0) } ?? word.endIndex
            if word.distance(from: start.lowerBound, to: end) >= 20 { return start.lowerBound..<end }
            rest = rest[start.upperBound...]
        }
        return nil
    }

    private static func isTokenCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-_.=".contains(character))
    }
}
