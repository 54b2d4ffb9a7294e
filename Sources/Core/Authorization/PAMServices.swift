// SPDX-License-Identifier: Apache-2.0

internal import CWire

/// PAM services that are more than a plain sign-in (entralogin_service.h), by their names as pam_start(3) folds them.
package enum PAMServices {
    /// sudo's default service names (sudoers(5), pam_service and pam_login_service), where step-up asks for a code.
    package static let stepUp = all.filter { isOf(ENTRALOGIN_SERVICE_STEPS_UP, $0) }

    /// True for services in which a user acts with other rights: sudo, su and the like.
    static func elevates(_ service: String) -> Bool { isOf(ENTRALOGIN_SERVICE_ELEVATES, service) }

    /// Jobs, and user managers.
    static func isBatch(_ service: String) -> Bool { isOf(ENTRALOGIN_SERVICE_BATCH, service) }

    /// Every service of the table.
    static let all: [String] = sequence(first: 0) { $0 + 1 }.lazy.map { entralogin_service_at($0) }
        .prefix { $0 != nil }.compactMap { $0.map { String(cString: $0) } }

    private static func isOf(_ kind: UInt32, _ service: String) -> Bool {
        // C would read such a name only up to its NUL.
        !service.utf8.contains(0) && entralogin_service_kinds(service) & kind != 0
    }
}
