// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// What an ID token must say to be accepted.
package struct IdentityTokenExpectations: Hashable, Sendable {
    /// `https://LOGIN-HOST/TENANT/v2.0`: of this machine's cloud and tenant, and of no other.
    package let issuer: String
    /// The application that asked.
    package let clientID: GUID
    package let tenant: TenantID
    package let now: UnixTime
    /// Seconds that the token's start may lie in the future. Its end has no such tolerance.
    package let skew: Int64

    package init(issuer: String, clientID: GUID, tenant: TenantID, now: UnixTime, skew: Int64) {
        self.issuer = issuer
        self.clientID = clientID
        self.tenant = tenant
        self.now = now
        self.skew = skew
    }
}

/// Why an ID token proves nothing. The raw value is the code in records.
package enum IdentityTokenRefusal: String, Error, Sendable, CaseIterable {
    case malformed
    /// An algorithm other than RS256, above all `none` and the symmetric ones.
    case algorithm
    /// A header that changes what is signed, brings its own key, or names another type than JWT.
    case header
    /// No key of this tenant has that `kid`.
    case keyUnknown = "key-unknown"
    case signature
    case issuer
    case audience
    case tenant
    case expired
    case notYetValid = "not-yet-valid"
    /// Longer than a day: Entra's last about an hour.
    case lifetime
    /// A nonce, though none was sent: the token was made for another request.
    case nonce
    case version
    case objectID = "object-id"
    case name
}

/// The user who signed in, by a verified ID token.
package struct ProvenIdentity: Hashable, Sendable {
    package let identity: DirectoryIdentity
    /// `preferred_username`, else `upn`, as Entra spells it.
    package let name: String
}

/// An ID token (OpenID Connect Core 1.0, 2) in the compact form of a JSON Web Signature (RFC 7515, 7.1), read strictly.
/// Its claims cannot be reached before its signature is verified.
package struct IdentityToken: Sendable {
    package enum Limit {
        /// Characters of the whole token; Entra's have 1,000 to 2,000.
        package static let characters = 16_384
        package static let keyID = 256
        package static let name = 256
        /// Seconds.
        package static let lifetime: Int64 = 86_400
    }

    /// Headers that would change what is signed or by whom (RFC 7515, 4.1; RFC 7797).
    private static let forbiddenHeaders = ["crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c"]

    package let keyID: String
    /// Header and payload with the dot between them, exactly as they came (RFC 7515, 5.2).
    package let signedBytes: [UInt8]
    package let signature: [UInt8]
    private let claims: JSON

    package init(parsing text: String) throws(IdentityTokenRefusal) {
        guard text.utf8.count <= Limit.characters else { throw .malformed }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = IdentityToken.object(parts[0]) else { throw .malformed }
        // The algorithm first: only one is accepted, whatever the token names.
        guard header["alg"]?.text == "RS256" else { throw .algorithm }
        guard IdentityToken.forbiddenHeaders.allSatisfy({ header[$0] == nil }) else { throw .header }
        if let type = header["typ"] { guard type.text?.lowercased() == "jwt" else { throw .header } }
        guard let keyID = header["kid"]?.text, (1...Limit.keyID).contains(keyID.utf8.count) else { throw .keyUnknown }
        guard let claims = IdentityToken.object(parts[1]), let signature = try? Base64.decode(parts[2], .url),
            !signature.isEmpty
        else { throw .malformed }
        self.keyID = keyID
        self.claims = claims
        self.signature = signature
        signedBytes = Array("\(parts[0]).\(parts[1])".utf8)
    }

    /// Who signed in. `isSigned` says whether that key made that signature over those bytes.
    package func verified(
        by keys: SigningKeys,
        against expected: IdentityTokenExpectations,
        isSigned: (SigningKey, _ message: [UInt8], _ signature: [UInt8]) -> Bool
    ) throws(IdentityTokenRefusal) -> ProvenIdentity {
        guard let key = keys.named[keyID] else { throw .keyUnknown }
        guard isSigned(key, signedBytes, signature) else { throw .signature }
        // Before the issuer, which names the tenant, too: a wrong tenant has its own reason.
        guard claims["tid"]?.text.flatMap({ TenantID($0) }) == expected.tenant else { throw .tenant }
        guard claims["iss"]?.text == expected.issuer else { throw .issuer }
        // A list of audiences is refused, whatever is on it. GUIDs may be written in either letter case.
        guard claims["aud"]?.text.flatMap({ GUID($0) }) == expected.clientID else { throw .audience }
        guard claims["ver"]?.text == "2.0" else { throw .version }
        guard claims["nonce"] == nil else { throw .nonce }
        try checkTimes(expected)
        guard let objectID = claims["oid"]?.text.flatMap({ ObjectID($0) }) else { throw .objectID }
        guard let name = (claims["preferred_username"] ?? claims["upn"])?.text, !name.isEmpty,
            name.utf8.count <= Limit.name
        else { throw .name }
        return ProvenIdentity(
            identity: DirectoryIdentity(tenant: expected.tenant, objectID: objectID),
            name: name
        )
    }

    private func checkTimes(_ expected: IdentityTokenExpectations) throws(IdentityTokenRefusal) {
        guard let end = claims["exp"]?.integer, let issued = claims["iat"]?.integer else { throw .malformed }
        let begin = claims["nbf"]
        guard let start = begin == nil ? issued : begin?.integer else { throw .malformed }
        // Far from the ends of 64 bits, so that no sum below overflows; 253402300799 is the end of the year 9999.
        guard [end, issued, start].allSatisfy({ (0...253_402_300_799).contains($0) }) else { throw .malformed }
        let now = expected.now.seconds
        guard end > now else { throw .expired }
        guard max(issued, start) <= now + expected.skew else { throw .notYetValid }
        guard end - min(issued, start) <= Limit.lifetime else { throw .lifetime }
    }

    /// A part that is a JSON object.
    private static func object(_ part: Substring) -> JSON? {
        guard let bytes = try? Base64.decode(part, .url), let value = try? JSON(parsing: bytes),
            case .object = value
        else { return nil }
        return value
    }
}
