// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// The lock that useradd(8) and its like take before they change /etc/passwd or /etc/group (lckpwdf(3)); held for as
/// long as the value lives. One a process.
package struct AccountFilesLock: ~Copyable {
    /// Waits for at most 15 seconds; throws then, or if this process may not take the lock.
    package init() throws(Errno) { try checked(clinux_lock_accounts()) }

    deinit { _ = clinux_unlock_accounts() }
}
