// SPDX-License-Identifier: Apache-2.0

/// Which keys are strong enough. ECDSA and Ed25519 keys of the supported types are; the size of RSA keys is checked.
enum KeyStrength {
    /// 2048 is what Entra signs with and NIST SP 800-131A asks for; above 8192 a check costs milliseconds.
    static let modulusBits = 2_048...8_192
    /// Entra's signing keys have the exponent 65537 (azure.md, "CA keys"); so have ssh-keygen's.
    static let authorityExponent: [UInt8] = [0x01, 0x00, 0x01]

    /// Nil if the size is acceptable; otherwise the text for the record.
    static func weakness(of key: PublicKey) -> String? {
        guard let bits = key.modulusBits, !modulusBits.contains(bits) else { return nil }
        return "RSA with \(bits) bits"
    }
}
