// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct SubprocessTests {
    /// A deadline for programs that end by themselves, even on a busy machine.
    private var soon: Duration { SystemClock.sinceBoot() + .seconds(300) }

    private func shell(_ script: String, outputLimit: Int = 1 << 20) -> Subprocess {
        Subprocess("/bin/sh", ["-c", script], outputLimit: outputLimit)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `both outputs and the exit status come back apart`() throws {
        let outcome = try shell("echo out; echo err >&2; exit 3").run(until: soon)
        #expect(outcome.ending == .exited(3))
        #expect(text(outcome.output) == "out\n")
        #expect(text(outcome.errorOutput) == "err\n")
    }

    @Test func `a program that a signal ended says which`() throws {
        #expect(try shell("kill -SEGV $$").run(until: soon).ending == .killed(signal: SIGSEGV))
    }

    @Test func `arguments arrive as they are, and nothing else is inherited`() throws {
        let awkward = ["", " ", "$(id)", "a'b\"c\\", "ä\n"]
        let printf = Subprocess("/usr/bin/printf", ["[%s]"] + awkward)
        #expect(text(try printf.run(until: soon).output) == awkward.map { "[\($0)]" }.joined())
        let environment = try Subprocess("/usr/bin/env", environment: ["A=1"]).run(until: soon)
        #expect(text(environment.output) == "A=1\n")
        let inherited = try Descriptor.open("/dev/null", O_RDONLY)
        #expect(fcntl(inherited.rawValue, F_SETFD, 0) == 0)
        // ls opens descriptor 3 to read the folder.
        let descriptors = try Subprocess("/bin/ls", ["/proc/self/fd"]).run(until: soon)
        #expect(text(descriptors.output) == "0\n1\n2\n3\n")
    }

    @Test func `standard input is at its end`() throws {
        let outcome = try Subprocess("/bin/cat").run(until: soon)
        #expect(outcome.ending == .exited(0))
        #expect(outcome.output.isEmpty)
    }

    @Test func `no signal is blocked or ignored in the program`() throws {
        let status = text(try Subprocess("/bin/cat", ["/proc/self/status"]).run(until: soon).output)
        for name in ["SigBlk", "SigIgn"] {
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(name):\t") })
            let mask = try #require(UInt64(line.dropFirst(name.utf8.count + 2), radix: 16))
            // 32 and 33 are glibc's own: posix_spawn(3) ignores them in every program.
            #expect(mask & 0x7fff_ffff == 0)
        }
    }

    @Test func `output of any size up to the limit comes whole`() throws {
        let outcome = try shell("head -c 1000000 /dev/zero; head -c 300000 /dev/zero >&2").run(until: soon)
        #expect(outcome.output.count == 1_000_000)
        #expect(outcome.errorOutput.count == 300_000)
        #expect(try shell("printf 12345", outputLimit: 5).run(until: soon).output.count == 5)
    }

    @Test func `P13: a program that says too much is killed`() {
        #expect(throws: SubprocessError.tooMuchOutput(path: "/bin/sh", limit: 4)) {
            _ = try shell("printf 12345", outputLimit: 4).run(until: soon)
        }
        #expect(throws: SubprocessError.tooMuchOutput(path: "/bin/sh", limit: 1 << 20)) {
            _ = try shell("while :; do echo y >&2; done").run(until: soon)
        }
    }

    @Test func `P9: at the deadline the program and what it started are killed`() throws {
        let folder = TemporaryFolder()
        let script = "cd \(folder.path); sleep 1000 & echo $! > started && mv started pid; wait"
        // The timeout grows if the machine was too busy for the script to get that far.
        for timeout in [Duration.milliseconds(300), .seconds(3), .seconds(30)]
        where access("\(folder.path)/pid", F_OK) != 0 {
            let begin = SystemClock.sinceBoot()
            #expect(throws: SubprocessError.deadline(path: "/bin/sh")) {
                _ = try shell(script).run(until: begin + timeout)
            }
            #expect(SystemClock.sinceBoot() < begin + timeout + .seconds(60))
        }
        let pid = text(try AtomicFile("\(folder.path)/pid").read(limit: 100)).split(separator: "\n").first
        let sleeper = try #require(pid.flatMap { Int32($0) })
        // The signal was sent; a busy machine may take a moment to act on it.
        let timeout = SystemClock.sinceBoot() + .seconds(60)
        while (try? ProcessDescriptor(pid: sleeper).isAlive) == true, SystemClock.sinceBoot() < timeout {}
        #expect((try? ProcessDescriptor(pid: sleeper).isAlive) != true)
    }

    @Test func `somebody who keeps the pipes open does not hold up the outcome`() throws {
        let outcome = try shell("sleep 1000 & echo done").run(until: soon)
        #expect(outcome.ending == .exited(0))
        #expect(text(outcome.output) == "done\n")
    }

    @Test func `a deadline that has passed still kills`() {
        #expect(throws: SubprocessError.deadline(path: "/bin/sleep")) {
            _ = try Subprocess("/bin/sleep", ["1000"]).run(until: .zero)
        }
    }

    @Test func `a path that is relative or an argument with a NUL is not run`() {
        #expect(throws: SubprocessError.unusable(path: "sh")) { _ = try Subprocess("sh").run(until: soon) }
        #expect(throws: SubprocessError.unusable(path: "/bin/echo")) {
            _ = try Subprocess("/bin/echo", ["a\0b"]).run(until: soon)
        }
    }

    @Test func `a program that is not there is named`() {
        let missing = SubprocessError.system(path: "/nowhere", call: "posix_spawn", Errno(ENOENT))
        #expect(throws: missing) { _ = try Subprocess("/nowhere").run(until: soon) }
        #expect(missing.description.contains("/nowhere"))
    }
}
