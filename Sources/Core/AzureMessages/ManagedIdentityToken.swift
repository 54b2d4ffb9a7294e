// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// An access token. Printing it shows only that there is one (P12).
package struct AccessToken: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    private let text: String

    /// The longest token that is accepted; Entra's are 1 to 4 KiB.
    package static let maximumLength = 16_384

    /// Nil unless it can be the token of an Authorization header (RFC 6750, 2.1).
    package init?(_ text: String) {
        guard (1...AccessToken.maximumLength).contains(text.utf8.count) else { return nil }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        self.text = text
    }

    /// The token itself, for the header that carries it.
    package func reveal() -> String { text }

    package var description: String { "(token)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }

    /// The machine's identity in the token (`oid`, `tid`); nil where the token is opaque. Not verified: the token came
    /// from the metadata service, which is the source of these facts anyway.
    package var claims: TokenClaims? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = try? Base64.decode(parts[1], .url) else { return nil }
        guard let claims = try? JSON(parsing: payload) else { return nil }
        return TokenClaims(
            objectID: claims["oid"]?.text.flatMap { ObjectID($0) },
            tenant: claims["tid"]?.text.flatMap { TenantID($0) }
        )
    }
}

/// The claims of the machine's token that matter (RFC 7519).
package struct TokenClaims: Hashable, Sendable {
    package let objectID: ObjectID?
    package let tenant: TenantID?
}

/// The metadata service's answer to a token request (azure.md, "Instance metadata"). Its numbers are strings.
package struct ManagedIdentityToken: Hashable, Sendable {
    package let token: AccessToken
    /// `expires_on`: by Azure's clock.
    package let expiresOn: UnixTime?
    /// `expires_in`: seconds from when the token was issued, so an upper limit.
    package let expiresIn: Int64?

    package init(parsing bytes: [UInt8]) throws(MessageError) {
        let document = try JSON(message: bytes)
        guard let token = AccessToken(try document.requiredText("access_token")) else {
            throw MessageError("\"access_token\" is too long or holds other characters than printable ASCII")
        }
        guard try document.requiredText("token_type").lowercased() == "bearer" else {
            throw MessageError("\"token_type\" is not Bearer")
        }
        self.token = token
        expiresOn = document["expires_on"]?.integerOrText.map { UnixTime(seconds: $0) }
        expiresIn = document["expires_in"]?.integerOrText
        guard expiresOn != nil || expiresIn != nil else { throw .missing("expires_on") }
    }

    /// Seconds for which the token may be kept from now on: the smaller of the two values, but at least a minute (this
    /// machine's clock may be wrong, and the service hands out no expired token) and at most a day.
    package func lifetime(at now: UnixTime) -> Int64 {
        let remaining = expiresOn.map { $0.adding(seconds: -max(now.seconds, 0)).seconds }
        return min(max(min(remaining ?? .max, expiresIn ?? .max), 60), 86_400)
    }
}

/// The metadata service's refusal: `{"error","error_description"}` (azure.md, "Instance metadata").
package struct MetadataRefusal: Hashable, Sendable {
    package enum Meaning: Sendable {
        /// This machine has no system-assigned managed identity.
        case identityNotFound
        /// The tenant has no service principal for the audience (AADSTS500011, AADSTS50001).
        case audienceUnknown
        case other
    }

    package let meaning: Meaning
    /// Both texts, quoted and bounded.
    package let text: String

    /// Reads any body; one that is not a refusal of that form is `other`.
    package init(parsing bytes: [UInt8]) {
        let document = try? JSON(parsing: bytes)
        let code = document?["error"]?.text ?? ""
        let description = document?["error_description"]?.text ?? ""
        let words = description.lowercased()
        if words.contains("identity not found") {
            meaning = .identityNotFound
        } else if code == "invalid_resource" || words.contains("aadsts500011") || words.contains("aadsts50001:") {
            meaning = .audienceUnknown
        } else {
            meaning = .other
        }
        text = [code, description].filter { !$0.isEmpty }.map { quoted($0) }.joined(separator: " ")
    }
}
