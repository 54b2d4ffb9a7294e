// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// One living process, held by a pidfd (pidfd_open(2)), or by its folder in /proc where the kernel has no pidfds: as long as
/// `isAlive` is true, its number means this very process and no later one that was given the same number.
package final class ProcessDescriptor: Sendable {
    package let pid: Int32
    private let descriptor: Descriptor

    /// Errors: ESRCH where no such process lives, EINVAL for a number that no process has, EMFILE and its kin.
    package init(pid: Int32) throws(Errno) {
        descriptor = Descriptor(takingOwnership: try checked(clinux_pidfd(pid)))
        self.pid = pid
    }

    /// False from the moment the process has exited, reaped or not.
    package var isAlive: Bool { clinux_pidfd_ended(descriptor.rawValue) == 0 }
}
