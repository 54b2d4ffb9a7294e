// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// One living process, held by a pidfd (pidfd_open(2)), or by its folder in /proc where the kernel has no pidfds: as
/// long as `isAlive` is true, its number refers to this process, not to a later one with the same number.
package final class ProcessDescriptor: Sendable {
    package let pid: Int32
    private let descriptor: Descriptor

    /// Errors: ESRCH where no such process lives, EINVAL for a number that no process has, EMFILE and its kin.
    package init(pid: Int32) throws(Errno) {
        descriptor = Descriptor(takingOwnership: try checked(clinux_pidfd(pid)))
        self.pid = pid
    }

    /// Takes over an inherited descriptor; closes it unless it is a pidfd of a process that still exists. Errors:
    /// EINVAL where it is not (by `Pid:` of /proc/self/fdinfo, proc(5)); those of open(2) where /proc is not there.
    package init(adopting descriptor: consuming Descriptor) throws(Errno) {
        let text = try ProcFile.read("/proc/self/fdinfo/\(descriptor.rawValue)")
        let named = text.split(separator: "\n").filter { $0.hasPrefix("Pid:") }
        let number = named.first.flatMap { Int32($0.dropFirst(4).drop { $0 == "\t" || $0 == " " }) }
        // -1: it has ended. 0: it is of another pid namespace.
        guard named.count == 1, let number, number > 0 else { throw .invalidArgument }
        self.descriptor = descriptor
        pid = number
    }

    /// The number of the descriptor; borrowed.
    package var rawValue: Int32 { descriptor.rawValue }

    /// False from the moment the process has exited, reaped or not.
    package var isAlive: Bool { clinux_pidfd_ended(descriptor.rawValue) == 0 }
}
