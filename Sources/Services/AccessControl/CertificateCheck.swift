// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import ByteCoding
internal import Identity
internal import OpenSSHCertificates
internal import Synchronization

/// The answer to the principals helper.
package enum PrincipalVerdict: Hashable, Sendable {
    /// The line to print.
    case principal(String)
    case deny(Denial, correlation: CorrelationID)
}

/// What sshd asks through AuthorizedPrincipalsCommand: is this certificate valid for this name?
///
/// sshd runs the helper twice for one sign-in, before the client has proved that it holds the private key. So nothing
/// durable changes here, and Azure is asked neither for roles nor for keys (P3); what was verified is kept in memory,
/// for the PAM stages.
package final class CertificateCheck: Sendable {
    private let parts: AccessParts
    private let refusals: RecentRefusals

    init(_ parts: AccessParts) {
        self.parts = parts
        refusals = RecentRefusals(lifetime: parts.settings.loginGrace)
    }

    /// Decides, and remembers a valid certificate for the sshd process. Azure is asked by the account stage, which sshd
    /// reaches only after the proof of the key.
    package func check(_ request: CertificateRequest) -> PrincipalVerdict {
        var subject = DecisionSubject(
            event: .certificate,
            user: request.user,
            service: "sshd",
            startedAt: parts.ports.time.bootTime(),
            correlation: parts.ports.random.correlationID()
        )
        do throws(Denial) {
            let (binding, certificate) = try verify(request)
            subject.identity = certificate.identity
            try check(binding, certificate.identity, at: subject.startedAt)
            let verifiedHere = VerifiedHere(
                user: binding.account.name,
                uid: request.uid,
                home: request.home,
                certificate: certificate,
                verifiedAt: subject.startedAt,
                correlation: subject.correlation
            )
            try remember(verifiedHere, in: request.sshdProcess, subject)
            parts.attempts.note(.certificateShown, of: request.user, certificate.identity, at: subject.startedAt)
            return .principal(certificate.principal)
        } catch {
            parts.attempts.note(.refused(error), of: request.user, subject.identity, at: subject.startedAt)
            // The same refusal again is the helper's second run, not a second decision.
            if let earlier = refusals.earlier(error, of: request, at: subject.startedAt, now: subject.correlation) {
                return .deny(error, correlation: earlier)
            }
            _ = parts.journal.deny(subject, error)
            return .deny(error, correlation: subject.correlation)
        }
    }

    /// Applies every rule for certificates; no effects at all.
    private func verify(_ request: CertificateRequest) throws(Denial) -> (AccountBinding, VerifiedCertificate) {
        if let refusal = parts.ports.stamp.refusal() { throw refusal }
        guard let name = UserName(request.user) else {
            throw Denial(.notOurName, detail: DecisionJournal.bounded(request.user, 128))
        }
        let accounts = parts.ports.accounts.view()
        let binding = try AccountBinding(name, uid: request.uid, home: request.home, in: accounts)
        let expectations = try parts.expectations(for: name)
        guard !expectations.authorityKeys.isEmpty else { throw Denial(.noAuthorityKeys) }
        // sshd has checked the CA already: one that is unknown here was withdrawn, and is no sign of new keys.
        let verdict = parts.ports.certificates.verify(
            base64: request.certificate,
            declaredType: request.keyType,
            against: expectations
        )
        return (binding, try verdict.get())
    }

    /// The name must be bound to the certificate's holder, or not be bound yet (P5).
    private func check(
        _ binding: AccountBinding,
        _ identity: DirectoryIdentity,
        at now: BootTime
    ) throws(Denial) {
        do throws(Denial) {
            try binding.check(identity)
        } catch {
            // The user sees only "Permission denied (publickey)"; `explain` tells the administrator why.
            if error.reason == .objectIDChanged {
                parts.otherObjects.note(identity.objectID, under: binding.account.name, at: now)
            }
            throw error
        }
    }

    private func remember(
        _ verifiedHere: VerifiedHere,
        in process: UInt32,
        _ subject: DecisionSubject
    ) throws(Denial) {
        guard let pid = Int32(exactly: process), pid > 1 else {
            throw Denial(.certificateNotVerified, detail: "no process can have the number \(process)")
        }
        let certificate = verifiedHere.certificate
        guard try parts.verified.remember(verifiedHere, in: pid) == .new else { return }
        parts.journal.allow(
            subject,
            role: nil,
            source: nil,
            detail:
                "key id \(DecisionJournal.bounded(certificate.keyID, 256)), serial \(certificate.serial), process \(pid)"
        )
    }
}

/// The refusals of the last minutes, so that the helper's second run for one sign-in is not recorded again. Bounded.
final class RecentRefusals: Sendable {
    private static let limit = 512

    private struct Key: Hashable {
        let process: UInt32
        let user: String
        let certificate: Int
        let reason: DenialReason
    }

    private let lifetime: Duration
    private let seen = Mutex<[Key: (at: BootTime, correlation: CorrelationID)]>([:])

    init(lifetime: Duration) { self.lifetime = lifetime }

    /// The id of the same refusal a moment ago; where there was none, nil, and this one is remembered under `id`.
    func earlier(
        _ denial: Denial,
        of request: CertificateRequest,
        at now: BootTime,
        now id: CorrelationID
    ) -> CorrelationID? {
        let key = Key(
            process: request.sshdProcess,
            user: DenialText.shorten(request.user, to: 128),
            certificate: request.certificate.hashValue,
            reason: denial.reason
        )
        return seen.withLock { seen in
            if let found = seen[key], found.at.duration(to: now) <= lifetime { return found.correlation }
            if seen.count >= RecentRefusals.limit { seen = seen.filter { $0.value.at.duration(to: now) <= lifetime } }
            if seen.count >= RecentRefusals.limit { seen.removeAll() }
            seen[key] = (now, id)
            return nil
        }
    }
}
