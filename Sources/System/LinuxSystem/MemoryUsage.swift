// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// How much memory this process holds.
package enum MemoryUsage {
    /// Resident bytes (the second number of /proc/self/statm, proc(5)); nil where /proc does not say.
    package static func residentBytes() -> Int? {
        guard let fields = try? ProcFile.read("/proc/self/statm").split(separator: " "), fields.count > 1 else {
            return nil
        }
        return Int(fields[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
    }

    /// Makes malloc(3) keep one small heap. Before a second thread is started.
    package static func keepSmall() { clinux_keep_heap_small() }

    /// Keeps what is in memory, tokens above all, out of core files and other processes' hands (P12): RLIMIT_CORE does
    /// not bind a program that the kernel pipes cores to (core(5)).
    package static func keepPrivate() throws(Errno) { try checked(clinux_keep_memory_private()) }

    /// Gives back what is free, and the pages of program text that only the start needed. Takes about a millisecond.
    package static func giveBack() { clinux_give_back_memory() }
}
