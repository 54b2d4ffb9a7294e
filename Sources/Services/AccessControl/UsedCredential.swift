// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import OpenSSHCertificates

/// The one credential that authenticated the user, as sshd reports it in `SSH_AUTH_INFO_0` of its PAM environment.
///
/// OpenSSH writes a line for each method that succeeded (auth2.c): `publickey`, the key's type and its base64,
/// separated by one blank; other methods look different. Only one line of this form, with or without its line end, is
/// accepted.
struct UsedCredential: Hashable, Sendable {
    let keyType: String
    let blob: [UInt8]

    /// Nil for anything else: no line, two lines, another method, an option, a stray blank, base64 that is not
    /// canonical.
    init?(authenticationInfo: String) {
        var text = authenticationInfo.utf8[...]
        if text.last == UInt8(ascii: "\n") { text = text.dropLast() }
        guard text.allSatisfy({ $0 > 0x1f && $0 < 0x7f }) else { return nil }
        let fields = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { String($0) }
        guard fields.count == 3, fields[0] == "publickey", let type = fields[1], let base64 = fields[2] else {
            return nil
        }
        guard !type.isEmpty, !base64.isEmpty else { return nil }
        do throws(ByteCodingError) { blob = try Base64.decode(base64) } catch { return nil }
        keyType = type
    }

    func isSame(as verified: VerifiedHere) -> Bool {
        verified.certificate.keyType == keyType && verified.certificate.blob == blob
    }
}
