// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// The certificate is for the machine's tenant. Entra's keys sign for every tenant of a cloud: without this rule a
/// valid signature would prove nothing (azure.md, "CA keys").
struct TenantRule: CertificateRule {
    /// What the certificate's extensions say.
    let identity: Result<DirectoryIdentity, CertificateRefusal>
    /// The machine's tenant.
    let tenant: TenantID

    func check(_ certificate: Certificate) -> RuleResult {
        switch identity {
        case .failure(let refusal):
            return .refused(refusal)
        case .success(let identity):
            guard identity.tenant == tenant else {
                return .refused(.wrongTenant, detail: "certificate of \(identity.tenant), machine of \(tenant)")
            }
            return .satisfied
        }
    }
}
