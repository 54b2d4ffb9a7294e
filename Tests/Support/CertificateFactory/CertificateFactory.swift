// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Synchronization

/// A certificate authority for tests. `ssh-keygen`, an independent implementation, makes its keys and certificates.
///
/// They are in a temporary folder that is removed with the factory. May be used from any thread.
package final class CertificateFactory: Sendable {
    private let folder: String
    private let counter = Atomic<Int>(0)

    package init() throws(CertificateFactoryError) {
        folder = try Program.makeTemporaryFolder()
    }

    deinit { Program.removeFolder(folder) }

    /// A new key pair; RSA takes a quarter of a second, the other kinds almost no time.
    package func makeKey(_ kind: KeyKind) throws(CertificateFactoryError) -> KeyPair {
        let path = nextPath()
        try Program.run(
            ["ssh-keygen", "-q"] + kind.arguments + ["-N", "", "-C", "", "-f", path],
            outputPath: path + ".log"
        )
        let (line, blob) = try publicLine(path + ".pub")
        return KeyPair(kind: kind, privatePath: path, line: line, blob: blob)
    }

    /// A certificate for `key`, signed by `authority`, in wire form.
    package func certify(
        _ key: KeyPair,
        by authority: KeyPair,
        _ details: CertificateDetails
    ) throws(CertificateFactoryError) -> [UInt8] {
        let path = nextPath()
        try Program.write((key.line + "\n").utf8, to: path + ".pub")
        try Program.run(
            ["ssh-keygen", "-q", "-s", authority.privatePath] + details.arguments + [path + ".pub"],
            outputPath: path + ".log"
        )
        return try publicLine(path + "-cert.pub").blob
    }

    /// A signature blob of an RSA key over any bytes, made with `openssl dgst`: for certificates that ssh-keygen would
    /// not make. `digest` is 256 or 512.
    package func sign(
        _ bytes: [UInt8],
        by key: KeyPair,
        digest: Int = 256
    ) throws(CertificateFactoryError) -> [UInt8] {
        let path = nextPath()
        try Program.write(bytes, to: path)
        try Program.run(
            ["openssl", "dgst", "-sha\(digest)", "-sign", key.privatePath, "-out", path + ".sig", path],
            outputPath: path + ".log"
        )
        var writer = ByteWriter()
        do {
            try writer.writeText("rsa-sha2-\(digest)")
            try writer.writeString(try Program.read(path + ".sig"))
        } catch {
            throw CertificateFactoryError(description: "\(error)")
        }
        return writer.bytes
    }

    /// Which of the certificates `ssh-keygen -L` accepts. It checks the form and the signature of all in one run. At
    /// least one must be valid. Throws if the CA signed an option list that ssh-keygen cannot show.
    package func readByOpenSSH(
        _ certificates: [(typeName: String, blob: [UInt8])]
    ) throws(CertificateFactoryError) -> [Bool] {
        let path = nextPath()
        // ssh-keygen prints a line's number before what it read there, but not for the first line.
        let lines = ["#"] + certificates.map { "\($0.typeName) \(Base64.encode($0.blob))" }
        try Program.write((lines.joined(separator: "\n") + "\n").utf8, to: path)
        let log = path + ".log"
        try Program.run(["ssh-keygen", "-L", "-f", path], outputPath: log)
        var read = [Bool](repeating: false, count: certificates.count)
        for line in String(decoding: try Program.read(log), as: UTF8.self).split(separator: "\n") {
            guard line.hasPrefix(path + ":"), line.hasSuffix(":") else { continue }
            guard let number = Int(line.dropFirst(path.count + 1).dropLast()), number >= 2 else { continue }
            guard read.indices.contains(number - 2) else { continue }
            read[number - 2] = true
        }
        return read
    }

    func nextPath() -> String {
        "\(folder)/\(counter.add(1, ordering: .relaxed).newValue)"
    }

    /// Type and base64 of a public key or certificate file, and the decoded bytes.
    private func publicLine(_ path: String) throws(CertificateFactoryError) -> (line: String, blob: [UInt8]) {
        let text = String(decoding: try Program.read(path), as: UTF8.self)
        let parts = text.split(maxSplits: 2, whereSeparator: { $0 == " " || $0 == "\n" })
        guard parts.count >= 2, let blob = try? Base64.decode(parts[1]) else {
            throw CertificateFactoryError(description: "\(path): not a public key: \(text)")
        }
        return ("\(parts[0]) \(parts[1])", blob)
    }
}
