// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing
import Wire

/// The daemon's program as it is built beside the tests: its output and exit status when it does not start to serve.
@Suite struct EntralogindTests {
    let folder = TemporaryFolder()

    var settings: String { "\(folder.path)/entralogin.conf" }

    struct Outcome {
        let status: Int32?
        let output: String
        let errors: String
    }

    /// `shell`: what the shell's command line has before the program's path.
    func run(_ arguments: [String], shell: String = "exec") throws -> Outcome {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &path, path.count)
        try #require(length > 0)
        let own = String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = own[..<(try #require(own.lastIndex(of: "/")))]
        let program = Subprocess("/bin/sh", ["-c", "\(shell) \"$0\" \"$@\"", "\(folder)/entralogind"] + arguments)
        let outcome = try program.run(until: SystemClock.sinceBoot() + .seconds(30))
        var status: Int32?
        if case .exited(let code) = outcome.ending { status = code }
        return Outcome(
            status: status,
            output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errorOutput, as: UTF8.self)
        )
    }

    func write(_ text: String, to path: String, mode: UInt32 = 0o644) throws {
        try AtomicFile(path).replace(with: Array(text.utf8), mode: mode)
    }

    @Test("--version and --help are said on standard output")
    func words() throws {
        let version = try run(["--version"])
        #expect(version.status == 0)
        #expect(version.output == "entralogind \(ProductVersion.text)\n")
        let help = try run(["--help"])
        #expect(help.status == 0)
        #expect(help.output.hasPrefix("usage: entralogind"))
        #expect(version.errors.isEmpty && help.errors.isEmpty)
    }

    @Test("An unknown argument, and --config without a file, are a wrong use: 64", arguments: ["--conf", "--config"])
    func usage(_ argument: String) throws {
        let outcome = try run([argument])
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("usage: entralogind"))
    }

    @Test("--check-config says nothing about good settings")
    func goodSettings() throws {
        try write("[SignIn]\nOfflineGrace=10min\n", to: settings)
        let outcome = try run(["--check-config", "--config", settings])
        #expect(outcome.status == 0)
        #expect(outcome.output.isEmpty && outcome.errors.isEmpty)
    }

    @Test("Wrong settings end it with 78, and every problem is named with file and line", arguments: [true, false])
    func wrongSettings(_ onlyChecks: Bool) throws {
        try write("[SignIn]\nOfflineGrace=soon\nNoSuchKey=1\n[NoSuchSection]\nx=1\n", to: settings)
        try #require(mkdir(settings + ".d", 0o755) == 0)
        try write("[Accounts]\nShell=bash\n", to: settings + ".d/10-site.conf")
        let outcome = try run((onlyChecks ? ["--check-config"] : []) + ["--config", settings])
        #expect(outcome.status == 78)
        for problem in ["\(settings):2", "\(settings):3", "\(settings):4", "\(settings).d/10-site.conf:2"] {
            #expect(outcome.errors.contains(problem), "\(problem): \(outcome.errors)")
        }
        #expect(outcome.errors.contains("NoSuchKey"))
    }

    @Test("Settings that were named and are not there, or that others may write, are not taken: 78")
    func unreadableSettings() throws {
        let missing = try run(["--check-config", "--config", settings])
        #expect(missing.status == 78)
        #expect(missing.errors.contains(settings))
        try write("[SignIn]\n", to: settings, mode: 0o666)
        try #require(chmod(settings, 0o666) == 0)
        let loose = try run(["--check-config", "--config", settings])
        #expect(loose.status == 78)
        #expect(loose.errors.contains("lets others write it"))
    }

    @Test("A folder of settings that cannot be read is not passed over: 78")
    func unreadableFolder() throws {
        try write("[SignIn]\n", to: settings)
        try write("", to: settings + ".d")
        let outcome = try run(["--check-config", "--config", settings])
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains(settings + ".d"))
    }

    @Test("P10: an inherited descriptor that is not the daemon's socket ends it with 1 and says what to look at")
    func wrongSocket() throws {
        try write("[SignIn]\n", to: settings)
        let shell = "export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=control; exec 3</dev/null; exec"
        let outcome = try run(["--config", settings], shell: shell)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("/run/entralogin/control.sock"), "\(outcome.errors)")
        #expect(outcome.errors.contains("SOCK_SEQPACKET") || outcome.errors.contains("getsockopt"), "\(outcome.errors)")
    }
}
