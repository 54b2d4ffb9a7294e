// SPDX-License-Identifier: Apache-2.0

internal import Identity

extension Certificate {
    static let objectIDExtension = "oid@sshservice.azure.net"
    static let tenantIDExtension = "tid@sshservice.azure.net"
    static let displayNameExtension = "displayname@sshservice.azure.net"

    /// The identity in an Entra certificate's extensions (azure.md, "The certificate"): in each a GUID in one nested
    /// string.
    var identity: Result<DirectoryIdentity, CertificateRefusal> {
        guard let objectOption = extensions[Self.objectIDExtension] else { return .failure(.objectIDMissing) }
        guard let tenantOption = extensions[Self.tenantIDExtension] else { return .failure(.tenantIDMissing) }
        guard let objectID = objectOption.nestedText.flatMap({ ObjectID($0) }) else {
            return .failure(.objectIDMalformed)
        }
        guard let tenant = tenantOption.nestedText.flatMap({ TenantID($0) }) else {
            return .failure(.tenantIDMalformed)
        }
        return .success(DirectoryIdentity(tenant: tenant, objectID: objectID))
    }
}

/// The certificate states its identity consistently: object id and tenant id in extensions of their own, and again in
/// the key id, `<oid>@<tid>`.
struct IdentityRule: CertificateRule {
    /// What the extensions say.
    let identity: Result<DirectoryIdentity, CertificateRefusal>

    func check(_ certificate: Certificate) -> RuleResult {
        switch identity {
        case .failure(let refusal):
            return .refused(refusal)
        case .success(let identity):
            let expected = "\(identity.objectID)@\(identity.tenant)"
            guard lowercasedASCII(certificate.keyID) == expected else { return .refused(.keyIDMismatch) }
            return .satisfied
        }
    }
}
