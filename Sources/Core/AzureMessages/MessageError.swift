// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// Why a message from Azure is rejected: what is wrong, and where. It quotes nothing secret.
package struct MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }

    static func missing(_ name: String) -> MessageError { MessageError("\"\(name)\" is missing or of another kind") }
}

extension JSON {
    /// Reads the body of a message: one whole document.
    init(message bytes: [UInt8]) throws(MessageError) {
        do throws(JSONError) { try self.init(parsing: bytes) } catch { throw MessageError(error.text) }
    }

    /// The text of a member that must be there.
    func requiredText(_ name: String) throws(MessageError) -> String {
        guard let text = self[name]?.text, !text.isEmpty else { throw .missing(name) }
        return text
    }
}

/// The first line of text from outside, for a record or a person (P12): in quotes, printable ASCII, bounded.
package func quoted(_ text: String, limit: Int = 200) -> String {
    let line = text.unicodeScalars.prefix { $0 != "\n" && $0 != "\r" }
    return "\"\(plainText(Substring(line), limit: limit, replacing: "\""))\""
}
