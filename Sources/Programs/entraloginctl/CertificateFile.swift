// SPDX-License-Identifier: Apache-2.0

internal import CWire
internal import Glibc
internal import LinuxSystem

struct CertificateFileError: Error, Hashable, Sendable {
    var text: String
}

/// A file with one certificate in OpenSSH's format: type, base64, comment (sshd(8)). `-` is standard input.
struct CertificateFile: Sendable {
    private static let limit = Int(ENTRALOGIN_CERTIFICATE_MAX)

    var path: String

    /// `type base64`, without the comment.
    func read() throws(CertificateFileError) -> String {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = path == "-" ? try read(STDIN_FILENO) : try readFile()
        } catch {
            throw CertificateFileError(text: "\(path): cannot be read: \(error)")
        }
        guard bytes.count <= CertificateFile.limit else {
            throw CertificateFileError(
                text: "\(path): longer than a certificate may be (\(CertificateFile.limit) bytes)"
            )
        }
        return try CertificateFile.certificate(in: String(decoding: bytes, as: UTF8.self), path: path)
    }

    static func certificate(in text: String, path: String) throws(CertificateFileError) -> String {
        let blanks: Set<Character> = [" ", "\t", "\r", "\n", "\r\n"]
        let words = text.split(maxSplits: 2, whereSeparator: { blanks.contains($0) })
        guard words.count >= 2, words[0].hasSuffix("-cert-v01@openssh.com") else {
            throw CertificateFileError(
                text: "\(path): not a certificate: it should begin with ssh-rsa-cert-v01@openssh.com or the like"
            )
        }
        return "\(words[0]) \(words[1])"
    }

    private func readFile() throws(Errno) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        return try read(file.rawValue)
    }

    private func read(_ descriptor: Int32) throws(Errno) -> [UInt8] {
        try readWhole(descriptor, expecting: 4096, limit: CertificateFile.limit)
    }
}
