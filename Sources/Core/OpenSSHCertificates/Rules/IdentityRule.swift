// SPDX-License-Identifier: Apache-2.0

/// Who a certificate of Entra's is for, as its extensions say (azure.md, "The certificate").
struct CertifiedIdentity: Hashable, Sendable {
    static let objectIDExtension = "oid@sshservice.azure.net"
    static let tenantIDExtension = "tid@sshservice.azure.net"
    static let displayNameExtension = "displayname@sshservice.azure.net"

    /// GUIDs, in lower case.
    let objectID: String
    let tenantID: String

    enum Reading {
        case identity(CertifiedIdentity)
        case refused(CertificateRefusal)
    }

    static func read(from certificate: Certificate) -> Reading {
        guard let objectOption = certificate.extensions[objectIDExtension] else { return .refused(.objectIDMissing) }
        guard let tenantOption = certificate.extensions[tenantIDExtension] else { return .refused(.tenantIDMissing) }
        guard let objectID = guid(in: objectOption) else { return .refused(.objectIDMalformed) }
        guard let tenantID = guid(in: tenantOption) else { return .refused(.tenantIDMalformed) }
        return .identity(CertifiedIdentity(objectID: objectID, tenantID: tenantID))
    }

    /// 8-4-4-4-12 hexadecimal digits in one nested string, in lower case; nil for anything else.
    private static func guid(in option: CertificateOption) -> String? {
        guard let bytes = option.nestedString, bytes.count == 36 else { return nil }
        for (position, byte) in bytes.enumerated() {
            switch (position, byte) {
            case (8, UInt8(ascii: "-")), (13, UInt8(ascii: "-")), (18, UInt8(ascii: "-")), (23, UInt8(ascii: "-")):
                continue
            case (8, _), (13, _), (18, _), (23, _):
                return nil
            case (_, UInt8(ascii: "0")...UInt8(ascii: "9")), (_, UInt8(ascii: "a")...UInt8(ascii: "f")),
                (_, UInt8(ascii: "A")...UInt8(ascii: "F")):
                continue
            default:
                return nil
            }
        }
        return lowercasedASCII(String(decoding: bytes, as: UTF8.self))
    }
}

/// The certificate says who it is for, once and the same everywhere: object id and tenant id in extensions of their
/// own, and again in the key id, `<oid>@<tid>`.
package struct IdentityRule: CertificateRule {
    package init() {}

    package func check(_ certificate: Certificate) -> RuleResult {
        switch CertifiedIdentity.read(from: certificate) {
        case .refused(let refusal):
            return .refused(refusal)
        case .identity(let identity):
            let expected = "\(identity.objectID)@\(identity.tenantID)"
            guard lowercasedASCII(certificate.keyID) == expected else { return .refused(.keyIDMismatch) }
            return .satisfied
        }
    }
}
