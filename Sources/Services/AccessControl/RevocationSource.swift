// SPDX-License-Identifier: Apache-2.0

package import OpenSSHCertificates

/// What the administrator has revoked, as far as it can be read.
package enum RevocationReading: Sendable {
    /// No list is configured.
    case none
    /// `revision` is another one after each change.
    case list(KeyRevocationList, revision: Int)
    /// There is to be a list, and there is none that could be believed: why. No Entra account can sign in then.
    case unusable(String)
}

/// The port for the administrator's list.
package protocol RevocationSource: Sendable {
    /// The list as it stands now: cheap enough to ask at every certificate.
    func read() -> RevocationReading
}

/// Where `RevokedKeys=` is not set.
package struct NothingRevoked: RevocationSource {
    package init() {}

    package func read() -> RevocationReading { .none }
}
