// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// The lock that useradd(8) and its like take before they change /etc/passwd or /etc/group (lckpwdf(3)); held for as long as
/// the value lives. One a process.
package struct AccountFilesLock: ~Copyable {
    /// Waits for 15 seconds at most; then, or without the right to it, an error.
    package init() throws(Errno) { try checked(clinux_lock_accounts()) }

    deinit { _ = clinux_unlock_accounts() }
}
