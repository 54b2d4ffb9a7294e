// SPDX-License-Identifier: Apache-2.0

/// What is the same for every request of a transport.
package struct CurlOptions: Hashable, Sendable {
    /// `entralogin/VERSION`.
    package var userAgent: String
    /// A PEM file with the authorities to trust instead of the system's; nil: the system's.
    package var certificateAuthorities: String?

    package init(userAgent: String, certificateAuthorities: String? = nil) {
        self.userAgent = userAgent
        self.certificateAuthorities = certificateAuthorities
    }
}
