// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Libcrypto
internal import OpenSSHCertificates
internal import Wire

/// `entraloginctl check-certificate`: evaluates a certificate, without side effects. The rules are those of a sign-in;
/// this only adds the certificate's own fields.
struct CertificateExamination {
    /// Returns the principal of a certificate that is valid for the name.
    typealias Verifier = (_ keyType: String, _ base64: String, _ name: UserName) throws(Denial) -> String

    let verify: Verifier
    /// The result of each rule, independent of the others.
    var examine: (Certificate, UserName?) -> [ExaminedRule] = { _, _ in [] }

    /// `certificate` is `type base64`, as in a `-cert.pub` file; an empty `user` means its first principal.
    func report(user: String, certificate text: String) -> CertificateReport {
        let words = text.split { $0 == " " || $0 == "\t" }
        guard words.count >= 2 else {
            return refused(.certificate, "not an OpenSSH certificate: a key type and base64 are expected")
        }
        let parsed: Certificate
        do throws(CertificateFormatError) {
            parsed = try Certificate(base64: words[1])
        } catch {
            return refused(.certificate, "\(error.refusal.text) (field: \(error.field))")
        }
        let given = UserName(folding: user.isEmpty ? parsed.principals.first ?? "" : user)
        var report = finding(parsed, words, given)
        report.steps = CertificateSteps.steps(of: examine(parsed, given))
        return report
    }

    private func finding(_ parsed: Certificate, _ words: [Substring], _ name: UserName?) -> CertificateReport {
        guard let name else { return describe(parsed, refused(.notOurName, DenialReason.notOurName.text)) }
        do throws(Denial) {
            let principal = try verify(String(words[0]), String(words[1]), name)
            return describe(parsed, CertificateReport(isAcceptable: true, text: "good for \(principal)"))
        } catch {
            let detail = error.detail.isEmpty ? "" : " (\(error.detail))"
            return describe(parsed, refused(error.reason, error.text + detail))
        }
    }

    private func refused(_ reason: DenialReason, _ text: String) -> CertificateReport {
        var report = CertificateReport(isAcceptable: false, text: text)
        report.reason = reason.rawValue
        return report
    }

    private func describe(_ certificate: Certificate, _ verdict: CertificateReport) -> CertificateReport {
        var report = verdict
        report.keyType = certificate.typeName
        report.keyID = shown(certificate.keyID)
        report.serial = String(certificate.serial)
        report.principals = certificate.principals.prefix(32).map(shown)
        report.objectID = certificate.extensions["oid@sshservice.azure.net"]?.nestedText.map(shown)
        report.tenantID = certificate.extensions["tid@sshservice.azure.net"]?.nestedText.map(shown)
        report.validAfter = Int64(clamping: certificate.validAfter)
        report.validBefore = Int64(clamping: certificate.validBefore)
        report.authority = SHA256.fingerprint(of: certificate.authorityKey)
        return report
    }

    /// Text from an untrusted certificate, cleaned and shortened for display: one line, and all fields fit into a
    /// frame.
    private func shown(_ text: String) -> String { DenialText.shorten(DenialText.clean(text), to: 256) }
}
