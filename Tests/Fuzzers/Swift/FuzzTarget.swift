// SPDX-License-Identifier: Apache-2.0

/// The fuzzers in Swift. The raw value is the name on the command line and of the folder in Corpora.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Certificates in wire form.
    case certificate
    /// Public keys of CAs and users, in wire form or as a line of text.
    case key
    /// The administrator's revocation list: a KRL, or keys line by line.
    case revoked
    /// What clients send to the daemon, through the router.
    case request
    /// What the daemon answers to the tool.
    case response
    /// entralogin.conf: up to three files, separated by NUL.
    case settings
    /// Any JSON document.
    case json
    /// The answers of PAS and ARM to a role check.
    case access
    /// The metadata services: this machine, its tenant, its tokens, their refusals.
    case metadata
    /// Documents with the keys of Entra's authority.
    case keys
    /// Sign-in with a code: Entra's answers, and ID tokens.
    case token
    /// X.509 certificates in key documents, up to the key in them.
    case x509
    /// The durable table of accounts.
    case store
    /// The published grants, as the daemon reads them back.
    case grants
    /// What sshd prints, and the files of PAM, sshd and the name service, separated by NUL.
    case integration
    /// The recorded result of the integration check.
    case stamp
    /// Local accounts, their passwords and keys, the allow-list, what sshd and sudo print, and aadsshlogin's accounts,
    /// separated by NUL.
    case people

    /// Reads the bytes and asserts what must hold for any input; a promise that does not hold ends the process. True if
    /// the bytes were accepted as valid.
    package func takes(_ bytes: [UInt8]) -> Bool {
        switch self {
        case .certificate: takesCertificate(bytes)
        case .key: takesKey(bytes)
        case .revoked: takesRevocationList(bytes)
        case .request: takesRequest(bytes)
        case .response: takesResponse(bytes)
        case .settings: takesSettings(bytes)
        case .json: takesJSON(bytes)
        case .access: takesAccess(bytes)
        case .metadata: takesMetadata(bytes)
        case .keys: takesKeys(bytes)
        case .token: takesToken(bytes)
        case .x509: takesX509(bytes)
        case .store: takesStore(bytes)
        case .grants: takesGrants(bytes)
        case .integration: takesIntegration(bytes)
        case .stamp: takesStamp(bytes)
        case .people: takesPeople(bytes)
        }
    }
}

extension String {
    /// Fit for a record (P12): one line of printable ASCII, bounded.
    func isQuoted(limit: Int) -> Bool { utf8.count <= limit && utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } }
}

/// If a promise does not hold, ends the process, in every build with text and source line on standard error.
func promise(
    _ holds: Bool,
    _ text: @autoclosure () -> String = "",
    file: StaticString = #file,
    line: UInt = #line
) {
    if !holds { fatalError("broken promise: \(text())", file: file, line: line) }
}
