// SPDX-License-Identifier: Apache-2.0

/// A kind of key that `ssh-keygen -t` makes.
package enum KeyKind: Hashable, Sendable {
    case rsa(bits: Int)
    /// 256, 384 or 521 bits.
    case ecdsa(bits: Int)
    case ed25519

    var arguments: [String] {
        switch self {
        case .rsa(let bits): ["-t", "rsa", "-b", "\(bits)", "-m", "PEM"]
        case .ecdsa(let bits): ["-t", "ecdsa", "-b", "\(bits)"]
        case .ed25519: ["-t", "ed25519"]
        }
    }
}

/// A key pair in files of the factory's folder.
package struct KeyPair: Hashable, Sendable {
    package let kind: KeyKind
    /// The private key, in the form that ssh and ssh-keygen read.
    package let privatePath: String
    /// `ssh-rsa AAAA...`, without comment.
    package let line: String
    /// The public key in SSH wire form.
    package let blob: [UInt8]
}

/// The contents of a certificate to be made. The defaults are those of Entra (azure.md, "The certificate").
package struct CertificateDetails: Sendable {
    package static let objectID = "aaaaaaaa-1111-4222-8333-444444444444"
    package static let tenantID = "bbbbbbbb-5555-4666-8777-888888888888"
    package static let principal = "alice@contoso.com"

    package var keyID = "\(objectID)@\(tenantID)"
    package var principals = [principal]
    package var serial: UInt64 = 0
    /// Seconds since 1970.
    package var validAfter: UInt64
    package var validBefore: UInt64
    package var isHostCertificate = false
    /// `-O` of ssh-keygen: what it adds to the five permits.
    package var options: [String]
    /// `-t`: the CA's signature algorithm, for RSA only.
    package var signatureAlgorithm: String? = nil

    /// As Entra writes them: valid from 5 minutes before `now` for 65 minutes, with `oid`, `tid` and `displayname`.
    package init(
        now: UInt64,
        objectID: String = objectID,
        tenantID: String = tenantID,
        principal: String = principal,
        displayName: String = "Alice Example"
    ) {
        keyID = "\(objectID)@\(tenantID)"
        principals = [principal]
        validAfter = now - 300
        validBefore = now + 3_600
        options = [
            "extension:oid@sshservice.azure.net=\(objectID)",
            "extension:tid@sshservice.azure.net=\(tenantID)",
            "extension:displayname@sshservice.azure.net=\(displayName)",
        ]
    }

    /// The arguments of `ssh-keygen -s`, without the CA key and the file.
    var arguments: [String] {
        var arguments = ["-I", keyID, "-z", "\(serial)"]
        if isHostCertificate { arguments.append("-h") }
        if !principals.isEmpty { arguments += ["-n", principals.joined(separator: ",")] }
        arguments += ["-V", "0x\(String(validAfter, radix: 16)):0x\(String(validBefore, radix: 16))"]
        if let signatureAlgorithm { arguments += ["-t", signatureAlgorithm] }
        for option in options { arguments += ["-O", option] }
        return arguments
    }
}
