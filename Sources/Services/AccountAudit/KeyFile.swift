// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// One file of keys as sshd reads it (sshd(8), AUTHORIZED_KEYS FILE FORMAT). It belongs to a user: its text never
/// appears in any output.
struct KeyFile: Sendable {
    /// Keys, those of certificate authorities (`cert-authority`) among them.
    private(set) var keys = 0
    /// Numbers of the lines that are neither empty, comments nor keys.
    private(set) var strange: [Int] = []

    private static let types = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-", "webauthn-sk-ecdsa-sha2-"]

    init(_ text: String) {
        for (index, line) in text.lines.enumerated() {
            let line = line.drop(while: KeyFile.isBlank)
            guard let first = line.utf8.first, first != UInt8(ascii: "#"), first != UInt8(ascii: "\r") else { continue }
            if KeyFile.isKey(line) || KeyFile.isKey(KeyFile.withoutOptions(line)) {
                keys += 1
            } else {
                strange.append(index + 1)
            }
        }
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    /// Algorithm, blanks, base64. The key itself is not checked: in doubt it counts.
    private static func isKey(_ line: Substring) -> Bool {
        let words = line.split(maxSplits: 2, whereSeparator: isBlank)
        guard words.count >= 2, types.contains(where: words[0].hasPrefix) else { return false }
        return words[1].utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "+/=\r".utf8.contains(byte)
            }
        }
    }

    /// The text after the options, which end at the first blank outside quotes.
    private static func withoutOptions(_ line: Substring) -> Substring {
        var isQuoted = false
        var isEscaped = false
        let options = line.prefix { character in
            defer { isEscaped = character == "\\" && !isEscaped }
            if character == "\"" && !isEscaped { isQuoted.toggle() }
            return isQuoted || !isBlank(character)
        }
        return line.dropFirst(options.count).drop(while: isBlank)
    }
}
