// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// Revocation lists made with `ssh-keygen -k`, and whether they revoke a certificate according to `ssh-keygen -Q`.
extension CertificateFactory {
    /// A KRL. `specification` has ssh-keygen(1)'s lines (`serial: 1-5`, `id: x`, `key: ssh-rsa AAAA...`). Serials and
    /// key ids apply to certificates of `authority`, or of any CA without it. If `earlier` is given, adds to that list.
    package func revoke(
        _ specification: [String],
        of authority: KeyPair? = nil,
        after earlier: [UInt8]? = nil
    ) throws(CertificateFactoryError) -> [UInt8] {
        let path = nextPath()
        try Program.write((specification.joined(separator: "\n") + "\n").utf8, to: path)
        var arguments = ["ssh-keygen", "-q", "-k", "-f", path + ".krl", "-s"]
        if let authority {
            try Program.write((authority.line + "\n").utf8, to: path + ".ca")
            arguments.append(path + ".ca")
        } else {
            arguments.append("none")
        }
        if let earlier {
            try Program.write(earlier, to: path + ".krl")
            arguments.append("-u")
        }
        try Program.run(arguments + [path], outputPath: path + ".log")
        return try Program.read(path + ".krl")
    }

    /// Writes certificates to files and returns their paths, for `revoked(_:by:)`.
    package func store(
        _ certificates: [(typeName: String, blob: [UInt8])]
    ) throws(CertificateFactoryError) -> [String] {
        var paths: [String] = []
        for certificate in certificates {
            let path = nextPath() + "-cert.pub"
            try Program.write("\(certificate.typeName) \(Base64.encode(certificate.blob))\n".utf8, to: path)
            paths.append(path)
        }
        return paths
    }

    /// Which of the stored certificates the list revokes; nil if OpenSSH cannot read the list.
    package func revoked(_ stored: [String], by list: [UInt8]) throws(CertificateFactoryError) -> [Bool]? {
        let path = nextPath()
        try Program.write(list, to: path)
        try Program.run(["ssh-keygen", "-Q", "-f", path] + stored, outputPath: path + ".log", mayFail: true)
        let lines = String(decoding: try Program.read(path + ".log"), as: UTF8.self).split(separator: "\n")
        guard lines.count == stored.count else { return nil }
        var revoked: [Bool] = []
        for (line, path) in zip(lines, stored) {
            guard line.hasPrefix(path), line.hasSuffix(": ok") || line.hasSuffix(": REVOKED") else {
                throw CertificateFactoryError(description: "ssh-keygen -Q says: \(line)")
            }
            revoked.append(line.hasSuffix(": REVOKED"))
        }
        return revoked
    }
}
