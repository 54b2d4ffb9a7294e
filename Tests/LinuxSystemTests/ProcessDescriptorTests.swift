// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Testing

@Suite struct ProcessDescriptorTests {
    /// A program that lives until its standard input ends.
    private func startCat(input: Int32) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        var pid: pid_t = 0
        var argv: [UnsafeMutablePointer<CChar>?] = [strdup("cat"), nil]
        defer { free(argv[0]) }
        let result = posix_spawn(&pid, "/bin/cat", &actions, nil, &argv, nil)
        guard result == 0 else { throw Errno(result) }
        return pid
    }

    private func copy(of process: ProcessDescriptor) -> Int32 {
        withExtendedLifetime(process) { dup(process.rawValue) }
    }

    /// Takes ownership of the descriptor with that number, as of one from systemd's store.
    private func mapped(_ number: Int32) throws -> ProcessDescriptor {
        guard number >= 0 else { throw Errno.last }
        return try ProcessDescriptor(adopting: Descriptor(takingOwnership: number))
    }

    @Test func `this process lives`() throws {
        let process = try ProcessDescriptor(pid: getpid())
        #expect(process.pid == getpid())
        #expect(process.isAlive)
    }

    @Test func `a process that has exited is dead, before it is reaped and after`() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        // Only this end keeps the program alive, so the program must not inherit it.
        #expect(fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0)
        let pid = try startCat(input: ends[0])
        #expect(close(ends[0]) == 0)
        let process = try ProcessDescriptor(pid: pid)
        #expect(process.isAlive)
        #expect(kill(pid, SIGKILL) == 0)
        var status = siginfo_t()
        #expect(waitid(P_PID, id_t(pid), &status, WEXITED | WNOWAIT) == 0)
        #expect(!process.isAlive)
        #expect(waitpid(pid, nil, 0) == pid)
        #expect(!process.isAlive)
        #expect(throws: Errno(ESRCH)) { _ = try ProcessDescriptor(pid: pid) }
        #expect(close(ends[1]) == 0)
    }

    @Test(arguments: [0, -1, Int32.min])
    func `a number that no process has is refused`(pid: Int32) {
        #expect(throws: Errno(EINVAL)) { _ = try ProcessDescriptor(pid: pid) }
    }

    @Test func `an inherited descriptor is taken where it is a pidfd, with the number that the kernel says`() throws {
        let process = try mapped(copy(of: try ProcessDescriptor(pid: getpid())))
        #expect(process.pid == getpid() && process.isAlive)
        for path in ["/dev/null", "/proc/self/status", "/proc/self"] {
            #expect(throws: Errno.invalidArgument) { _ = try mapped(open(path, O_RDONLY)) }
        }
    }

    @Test func `a pidfd of a process that is gone is not taken`() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let pid = try startCat(input: ends[0])
        let number = copy(of: try ProcessDescriptor(pid: pid))
        #expect(kill(pid, SIGKILL) == 0)
        #expect(waitpid(pid, nil, 0) == pid)
        #expect(throws: Errno.invalidArgument) { _ = try mapped(number) }
        for end in ends { close(end) }
    }
}
