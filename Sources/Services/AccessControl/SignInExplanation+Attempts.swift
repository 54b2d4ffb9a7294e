// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

// What the last sign-in of a name says about the next one.
extension SignInExplanation {
    /// From the proof of the certificate to the session: a client that has the key needs less.
    private static let proofTime: Duration = .seconds(3)
    /// An older attempt says what happened then, not what would happen now.
    private static let lately: Duration = .seconds(3600)
    /// Reasons that no other step checks: the next certificate may be the same one.
    private static let ofTheCertificate: Set<DenialReason> = [
        .certificate, .certificateNotUsed, .certificateNotVerified, .certificateRevoked, .wrongTenant, .wrongName,
        .recordChanged, .unsupported,
    ]

    /// Nil where the last sign-in succeeded, or none is known.
    func attemptStep(_ name: UserName) -> Explanation.Step? {
        guard let last = parts.attempts.last(of: name) else { return nil }
        let age = last.at.duration(to: parts.ports.time.bootTime())
        switch last.stage {
        case .sessionOpened, .roleGiven: return nil
        case .certificateShown:
            guard age > SignInExplanation.proofTime, let identity = last.identity else { return nil }
            return Explanation.Step(
                "attempt",
                age > SignInExplanation.lately ? .ok : .unknown,
                "A good certificate of object id \(identity.objectID) was shown \(ago(last.at)), and nothing followed: the client"
                    + " did not prove that it has its key, or another module of PAM refused it",
                remedy:
                    "sshd's log says which; ssh-keygen -l -f of the private key and of the certificate must show the same fingerprint; az ssh cert"
                    + " anew makes both"
            )
        // The step `object` has the command.
        case .refused(let denial) where denial.reason == .objectIDChanged: return nil
        case .refused(let denial):
            let isOpen = SignInExplanation.ofTheCertificate.contains(denial.reason) && age <= SignInExplanation.lately
            let whose = last.identity.map { " (object id \($0.objectID))" } ?? ""
            let detail = denial.detail.isEmpty ? "" : " (\(DenialText.clean(denial.detail)))"
            return Explanation.Step(
                "attempt",
                isOpen ? .unknown : .ok,
                "The last sign-in\(whose) was refused \(ago(last.at)): \(DenialText.clean(denial.text))\(detail)",
                remedy: Explanation.remedy(for: denial.reason, resource: parts.ports.machines.current?.resource),
                reason: denial.reason.rawValue
            )
        }
    }

    /// The role of a name that never signed in: that of the object id in a valid certificate, where one was shown.
    func newcomersRole(_ name: UserName, asking: Bool) async -> Explanation.Step {
        guard let identity = parts.attempts.last(of: name)?.identity else {
            let remedy = "entraloginctl check \(name) --object-id ID asks now"
            return Explanation.Step(
                "role",
                .unknown,
                "The certificate says who it is; Azure is asked then",
                remedy: remedy
            )
        }
        return await roleStep(identity, asking: asking).1
    }

    /// `12 s ago`.
    func ago(_ time: BootTime) -> String {
        "\(Elapsed.text(time.duration(to: parts.ports.time.bootTime()).components.seconds)) ago"
    }

    /// The only account whose name has `short` before its @.
    func namesLike(_ short: String) -> String? {
        guard !short.isEmpty, !short.contains("@") else { return nil }
        let beginning = "\(short.lowercased())@"
        let accounts = parts.ports.accounts.view().allEnrolled()
        let found = accounts.map(\.account.name.text).filter { $0.hasPrefix(beginning) }
        return found.count == 1 ? found[0] : nil
    }
}

extension Explanation.Account {
    init(_ account: Account, isEnrolled: Bool) {
        self.init(
            name: account.systemName,
            uid: account.systemUID,
            home: account.home,
            shell: account.shell,
            isEnrolled: isEnrolled
        )
    }
}
