// SPDX-License-Identifier: Apache-2.0

/// What the administrator revokes: a KRL of OpenSSH (PROTOCOL.krl), or the plain list of public keys that sshd's
/// `RevokedKeys` takes as well (sshd_config(5)). Read whole or not at all: see `init(parsing:)`.
package struct KeyRevocationList: Hashable, Sendable {
    package enum Limit {
        /// Bytes of a list: room for 29,000 fingerprints or 12,000 short keys. Reading the longest takes a tenth of a
        /// second, in which the daemon does nothing else; callers from sshd wait for one second. OpenSSH: 128 MiB.
        package static let bytes = 1 << 20
        /// Bytes of one bitmap of serials: OpenSSH's SSHBUF_MAX_BIGNUM, 16,384 bits, and the sign's byte.
        package static let bitmapBytes = 2_049
        /// Bytes of an extension's name; PROTOCOL.krl's longest has 21.
        package static let extensionNameBytes = 256
    }

    /// Certificates of one CA, or of any.
    struct Certificates: Hashable, Sendable {
        var serials = RevokedSerials()
        /// Bytes, not text: they are compared as they stand.
        var keyIDs: Set<[UInt8]> = []
    }

    /// By the CA's key. CA keys of types that are never trusted are left out: their certificates are refused earlier.
    var certificatesOfAuthority: [PublicKey: Certificates] = [:]
    /// Entries that hold for every CA.
    var certificatesOfAnyAuthority = Certificates()
    /// Whole certificates, which only the plain list can name.
    var certificates: Set<[UInt8]> = []
    /// Key blobs: users' keys and CA keys alike.
    var keys: Set<[UInt8]> = []
    /// Digests of key blobs.
    var fingerprints: [FingerprintAlgorithm: Set<[UInt8]>] = [:]

    /// Revokes nothing.
    package init() {}

    /// Entries; a range or a bitmap of serials is one.
    package var count: Int {
        (certificatesOfAuthority.values + [certificatesOfAnyAuthority]).reduce(0) { sum, certificates in
            sum + certificates.serials.count + certificates.keyIDs.count
        } + certificates.count + keys.count + fingerprints.values.reduce(0) { $0 + $1.count }
    }
}

/// The digests by which a list may name a key (PROTOCOL.krl, 4). SHA-1 is good enough here: a collision could only
/// revoke one key more.
package enum FingerprintAlgorithm: String, Hashable, Sendable, CaseIterable {
    case sha1 = "SHA-1"
    case sha256 = "SHA-256"

    /// Bytes of a digest (FIPS 180-4).
    package var size: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        }
    }
}

/// The port for fingerprints: this module computes none itself.
package protocol KeyDigests: Sendable {
    /// Nil where the library has no such digest.
    func digest(_ algorithm: FingerprintAlgorithm, of bytes: [UInt8]) -> [UInt8]?
}

/// Why a revocation list cannot be used, in words that follow the file's name.
package struct RevocationListError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
