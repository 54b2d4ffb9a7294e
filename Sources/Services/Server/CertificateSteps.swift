// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import OpenSSHCertificates
internal import Wire

/// Words each rule's result for a certificate.
enum CertificateSteps {
    static func steps(of rules: [ExaminedRule]) -> [ReportedStep] { rules.map(step) }

    private static func step(_ rule: ExaminedRule) -> ReportedStep {
        switch rule.result {
        case .satisfied: return ReportedStep(rule.title, .good, satisfied[rule.title] ?? "as it must be")
        case .refused(let refusal, let detail):
            let particulars = detail.isEmpty ? refusal.rawValue : "\(refusal.rawValue): \(DenialText.clean(detail))"
            return ReportedStep(rule.title, .bad, "\(refusal.text) (\(particulars))", remedy: remedy(for: refusal))
        }
    }

    private static let satisfied = [
        "purpose": "a user certificate", "key": "the certified key is strong enough",
        "authority-key": "the signing key is strong enough", "authority": "signed by a key that this machine trusts",
        "validity": "valid now", "signature": "fits the certificate and the signing key that it names",
        "revocation": "not on the administrator's list", "name": "names that account",
        "critical-options": "none that sshd does not know", "extensions": "of the form that Entra's have",
        "identity": "says whose it is", "tenant": "of this machine's tenant",
    ]

    private static func remedy(for refusal: CertificateRefusal) -> String {
        switch refusal {
        case .authorityUnknown:
            "the keys are being fetched now: ask again in some seconds; entraloginctl keys lists those that are trusted"
        case .expired, .validityEmpty: "az ssh cert makes a new one"
        case .notYetValid: "timedatectl says whether this machine's clock is right"
        case .wrongTenant: "sign in to Azure with an account of this machine's tenant"
        case .wrongName: "sign in with the name that the certificate holds, in lower case"
        case .revoked: "RevokedKeys= names the list"
        default: ""
        }
    }
}
