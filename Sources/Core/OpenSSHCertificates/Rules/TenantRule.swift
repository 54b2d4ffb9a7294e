// SPDX-License-Identifier: Apache-2.0

/// The certificate is of the machine's tenant. Entra's keys sign for every tenant of a cloud: without this rule a good
/// signature would mean nothing (azure.md, "CA keys").
package struct TenantRule: CertificateRule {
    private let tenantID: String

    /// `tenantID`: the machine's, a GUID in either case.
    package init(tenantID: String) { self.tenantID = lowercasedASCII(tenantID) }

    package func check(_ certificate: Certificate) -> RuleResult {
        switch CertifiedIdentity.read(from: certificate) {
        case .refused(let refusal):
            return .refused(refusal)
        case .identity(let identity):
            guard identity.tenantID == tenantID else {
                return .refused(.wrongTenant, detail: "certificate of \(identity.tenantID), machine of \(tenantID)")
            }
            return .satisfied
        }
    }
}
