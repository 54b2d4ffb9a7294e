// SPDX-License-Identifier: Apache-2.0

package import OpenSSHCertificates

/// The result of reading the administrator's revocation list.
package enum RevocationReading: Sendable {
    /// No list is configured.
    case none
    /// `revision` is a new number after each change.
    case list(KeyRevocationList, revision: Int)
    /// A list is configured but unusable; the text says why. No Entra account can sign in then.
    case unusable(String)
}

/// The port for the administrator's list.
package protocol RevocationSource: Sendable {
    /// Reads the current list. It is called for every certificate, so it must be cheap.
    func read() -> RevocationReading
}

/// Used if `RevokedKeys=` is not set.
package struct NothingRevoked: RevocationSource {
    package init() {}

    package func read() -> RevocationReading { .none }
}
