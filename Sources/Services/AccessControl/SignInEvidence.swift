// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import OpenSSHCertificates

/// What the PAM stages demand of an sshd process that signs a user in (P4, P6).
struct SignInEvidence: Sendable {
    let account: Account
    let identity: DirectoryIdentity
    /// What was verified in this process, all for this account and this identity; empty only where the user signed in
    /// with a code.
    let certificates: [VerifiedHere]

    /// Gathers the evidence for `user` in the process `pid`, which SO_PEERCRED proved.
    init(
        for user: String,
        uid: UInt32,
        home: String,
        in pid: Int32,
        verified: VerifiedCertificates,
        accounts: any AccountsView,
        at now: BootTime
    ) throws(Denial) {
        guard let name = UserName(user) else { throw Denial(.notOurName, detail: DecisionJournal.bounded(user, 128)) }
        let found = verified.found(in: pid, at: now)
        guard let first = found.first else {
            throw Denial(.certificateNotVerified, detail: "nothing was verified in process \(pid)")
        }
        guard found.allSatisfy({ $0.user == name }) else {
            throw Denial(.certificateNotVerified, detail: "process \(pid) verified a certificate for another name")
        }
        let identity = first.certificate.identity
        guard found.allSatisfy({ $0.certificate.identity == identity }) else {
            throw Denial(.certificateNotVerified, detail: "process \(pid) verified certificates of two object ids")
        }
        guard found.allSatisfy({ $0.uid == uid && $0.home == home }) else {
            throw Denial(.recordChanged, detail: "sshd's record was another one when the certificate was verified")
        }
        let binding = try AccountBinding(name, uid: uid, home: home, in: accounts)
        try binding.check(identity)
        account = binding.account
        self.identity = identity
        certificates = found
    }

    /// The same for a user who signed in with a code in this process, which is not sshd.
    init(
        _ signedIn: SignedInHere,
        as user: String,
        uid: UInt32,
        home: String,
        accounts: any AccountsView
    ) throws(Denial) {
        guard signedIn.user.text == user, signedIn.uid == uid, signedIn.home == home else {
            throw Denial(.recordChanged, detail: "another user signed in in this process, or with another record")
        }
        let binding = try AccountBinding(signedIn.user, uid: uid, home: home, in: accounts)
        try binding.check(signedIn.identity)
        // Only sshd enrols.
        guard binding.enrolled != nil else { throw Denial(.notEnrolled) }
        account = binding.account
        identity = signedIn.identity
        certificates = []
    }
}
