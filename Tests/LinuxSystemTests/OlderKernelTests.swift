// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing

/// Linux before 5.3 has no pidfd_open (ENOSYS). systemd's filters of that time refuse the unknown call with EPERM.
@Suite struct OlderKernelTests {
    @Test("P4: without pidfds a process is dead from its end on, reaped or not, and never another one with its number")
    func processes() async {
        await #expect(processExitsWith: .exitCode(0)) { exit(lifeOfAProcess(refusedWith: ENOSYS)) }
        await #expect(processExitsWith: .exitCode(0)) { exit(lifeOfAProcess(refusedWith: EPERM)) }
    }

    @Test("Without pidfds programs run to their end, and are killed at their deadline")
    func programs() async {
        await #expect(processExitsWith: .exitCode(0)) {
            guard SystemCallFilter.refuse(SystemCallFilter.pidfdOpen, with: ENOSYS) else { exit(2) }
            let soon = SystemClock.sinceBoot() + .seconds(300)
            let said = try Subprocess("/bin/sh", ["-c", "echo out; sleep 0.05; exit 3"]).run(until: soon)
            guard said.ending == .exited(3), said.output == Array("out\n".utf8) else { exit(3) }
            let sleeper = Subprocess("/bin/sleep", ["1000"])
            do {
                _ = try sleeper.run(until: SystemClock.sinceBoot() + .milliseconds(50))
                exit(4)
            } catch {
                exit(error as? SubprocessError == .deadline(path: "/bin/sleep") ? 0 : 5)
            }
        }
    }

    @Test("Another error of pidfd_open is an error: nothing stands in for it")
    func refusedOtherwise() async {
        await #expect(processExitsWith: .exitCode(0)) {
            guard SystemCallFilter.refuse(SystemCallFilter.pidfdOpen, with: EMFILE) else { exit(2) }
            do {
                _ = try ProcessDescriptor(pid: getpid())
                exit(3)
            } catch {
                exit(error as? Errno == Errno(EMFILE) ? 0 : 4)
            }
        }
    }
}

/// Returns 0, or the number of the expectation that does not hold.
private func lifeOfAProcess(refusedWith error: Int32) -> Int32 {
    guard SystemCallFilter.refuse(SystemCallFilter.pidfdOpen, with: error) else { return 20 }
    do {
        guard try ProcessDescriptor(pid: getpid()).isAlive else { return 1 }
        for number: Int32 in [0, -1, Int32.min] where (try? ProcessDescriptor(pid: number)) != nil { return 2 }
        var argv: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("1000"), nil]
        defer { for argument in argv { free(argument) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/bin/sleep", nil, nil, &argv, nil) == 0 else { return 3 }
        let process = try ProcessDescriptor(pid: pid)
        guard process.isAlive, kill(pid, SIGKILL) == 0 else { return 4 }
        var status = siginfo_t()
        guard waitid(P_PID, id_t(pid), &status, WEXITED | WNOWAIT) == 0, !process.isAlive else { return 5 }
        guard waitpid(pid, nil, 0) == pid, !process.isAlive else { return 6 }
        guard (try? ProcessDescriptor(pid: pid)) == nil else { return 7 }
        return 0
    } catch {
        return 21
    }
}
