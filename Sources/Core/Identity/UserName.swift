// SPDX-License-Identifier: Apache-2.0

internal import CWire

/// The login name of an Entra user or service principal: a UPN or a GUID, in lower case, valid by construction.
///
/// The rule is `entralogin_name_is_valid` of CWire, which the modules in other processes apply too. At most 113 bytes,
/// ASCII, no character that a shell, sudoers, passwd(5) or a path would interpret.
package struct UserName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The name as in passwd(5).
    package let text: String

    /// Takes a name that is already canonical; nil where it cannot be an Entra account's.
    package init?(_ text: String) {
        var copy = text
        let isValid = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { entralogin_name_is_valid($0.baseAddress, $0.count) != 0 }
        }
        guard isValid else { return nil }
        self.text = text
    }

    /// Takes a name as Entra spells it and folds it to lower case; nil where the result cannot be an Entra account's.
    package init?(folding text: String) {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        self.init(text.lowercased())
    }

    /// The part before the `@`, or the whole GUID.
    package var localPart: Substring { text[..<(at ?? text.endIndex)] }

    /// The part after the `@`; nil for a GUID.
    package var domain: Substring? { at.map { text[text.utf8.index(after: $0)...] } }

    private var at: String.Index? { text.utf8.firstIndex(of: UInt8(ascii: "@")) }

    package var description: String { text }

    package static func < (left: UserName, right: UserName) -> Bool { left.text < right.text }
}
