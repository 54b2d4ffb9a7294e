// SPDX-License-Identifier: Apache-2.0

/// A GUID in canonical form: 36 characters, lower-case hexadecimal, dashes after 8, 12, 16 and 20 digits (RFC 9562).
package struct GUID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    /// Accepts either letter case; nil for anything that is not 8-4-4-4-12 hexadecimal digits.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 36 else { return nil }
        for (position, byte) in text.utf8.enumerated() {
            let isDash = byte == UInt8(ascii: "-")
            switch position {
            case 8, 13, 18, 23: guard isDash else { return nil }
            default: guard GUID.isHexadecimal(byte) else { return nil }
            }
        }
        self.text = text.lowercased()
    }

    /// Makes a version 4 GUID of 16 random bytes (RFC 9562, 5.4); nil for another number of bytes.
    package init?(random bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        var bytes = bytes
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += String(byte >> 4, radix: 16) + String(byte & 0x0f, radix: 16)
        }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: GUID, right: GUID) -> Bool { left.text < right.text }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

/// The object id (`oid`) of a user or service principal: immutable in its tenant, and what roles are assigned to.
package struct ObjectID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let guid: GUID

    package init(_ guid: GUID) { self.guid = guid }

    package init?(_ text: some StringProtocol) {
        guard let guid = GUID(text) else { return nil }
        self.guid = guid
    }

    package var description: String { guid.text }

    package static func < (left: ObjectID, right: ObjectID) -> Bool { left.guid < right.guid }
}

/// The id of an Entra tenant (`tid`).
package struct TenantID: Hashable, Sendable, CustomStringConvertible {
    package let guid: GUID

    package init(_ guid: GUID) { self.guid = guid }

    package init?(_ text: some StringProtocol) {
        guard let guid = GUID(text) else { return nil }
        self.guid = guid
    }

    package var description: String { guid.text }
}

/// A user's identity, for ever (P5): the tenant and the object id in it. Names are attributes, never identity.
package struct DirectoryIdentity: Hashable, Sendable {
    package let tenant: TenantID
    package let objectID: ObjectID

    package init(tenant: TenantID, objectID: ObjectID) {
        self.tenant = tenant
        self.objectID = objectID
    }
}
