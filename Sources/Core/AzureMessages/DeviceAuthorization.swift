// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// Entra's answer to a request for a code (RFC 8628, 3.2; Documentation/azure.md). Printing it does not show the device
/// code: a holder of that code gets the user's tokens (P12).
package struct DeviceAuthorization: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package enum Limit {
        /// Characters of the device code; Entra's have about 250.
        package static let deviceCode = 4096
        /// Characters of the code that the user types; Entra's have 9.
        package static let userCode = 32
        /// Characters of the address that the user opens.
        package static let address = 200
    }

    private let secret: String
    /// What the user types: letters, digits and dashes.
    package let userCode: String
    /// Where the user types it: an `https://` address without blanks.
    package let address: String
    /// Seconds for which the code is valid, at least 1 and at most an hour.
    package let lifetime: Int64
    /// Seconds between two polls: 1 to 60, by default 5 (RFC 8628, 3.2).
    package let interval: Int64

    package init(parsing bytes: [UInt8]) throws(MessageError) {
        let document = try JSON(message: bytes)
        secret = try document.requiredText("device_code")
        userCode = try document.requiredText("user_code")
        address = try document.requiredText("verification_uri")
        guard secret.utf8.count <= Limit.deviceCode, secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw MessageError("\"device_code\" is too long or holds other characters than printable ASCII")
        }
        guard userCode.utf8.count <= Limit.userCode, userCode.utf8.allSatisfy(DeviceAuthorization.isTyped) else {
            throw MessageError("\"user_code\" is nothing that a person could type")
        }
        guard address.utf8.count <= Limit.address, address.hasPrefix("https://"),
            address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw MessageError("\"verification_uri\" is no https address") }
        guard let lifetime = document["expires_in"]?.integerOrText, lifetime > 0 else { throw .missing("expires_in") }
        self.lifetime = min(lifetime, 3600)
        interval = min(max(document["interval"]?.integerOrText ?? 5, 1), 60)
    }

    /// The device code, for the request that redeems it.
    package func reveal() -> String { secret }

    package var description: String { "(device code)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }

    private static func isTyped(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Entra's answer to a question for tokens (RFC 8628, 3.5; RFC 6749, 5).
package enum DeviceTokenAnswer: Hashable, Sendable {
    /// The ID token as received; nothing in it has been verified yet.
    case identityToken(String)
    /// The user has not finished.
    case pending
    /// The same, and the polls come too often.
    case slowDown
    case declined
    case expired
    /// Anything else; quoted and bounded.
    case refused(String)

    /// `isSuccess`: the status was 200.
    package init(parsing bytes: [UInt8], isSuccess: Bool) throws(MessageError) {
        let document = try JSON(message: bytes)
        if isSuccess {
            let token = try document.requiredText("id_token")
            guard token.utf8.count <= IdentityToken.Limit.characters else {
                throw MessageError("\"id_token\" is too long")
            }
            self = .identityToken(token)
            return
        }
        let code = try document.requiredText("error")
        switch code {
        case "authorization_pending": self = .pending
        case "slow_down": self = .slowDown
        // RFC 8628 has the first word, Entra the second.
        case "access_denied", "authorization_declined": self = .declined
        case "expired_token", "code_expired": self = .expired
        default:
            let description = document["error_description"]?.text ?? ""
            self = .refused([code, description].filter { !$0.isEmpty }.map { quoted($0) }.joined(separator: " "))
        }
    }
}
