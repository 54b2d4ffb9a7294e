// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Systemd

/// A function that the headers declare only under _GNU_SOURCE.
private func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: type) }
}

/// Gives this thread an empty /run of its own, with a journal's socket in it.
private func makeJournalSocket() -> Int32? {
    typealias Unshare = @convention(c) (Int32) -> Int32
    typealias Mount =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UInt, UnsafeRawPointer?
        ) -> Int32
    guard let unshare = symbol("unshare", as: Unshare.self), let mount = symbol("mount", as: Mount.self) else {
        return nil
    }
    // CLONE_NEWNS; MS_REC and MS_PRIVATE: the machine's own mounts do not change.
    guard unshare(0x0002_0000) == 0, mount(nil, "/", nil, 0x4000 | 0x40000, nil) == 0 else { return nil }
    guard mount("tmpfs", "/run", "tmpfs", 0, nil) == 0 else { return nil }
    guard mkdir("/run/systemd", 0o755) == 0, mkdir("/run/systemd/journal", 0o755) == 0 else { return nil }
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: JournalSocket.path.utf8) }
    let bound = withUnsafeBytes(of: &address) { bytes in
        bytes.withMemoryRebound(to: sockaddr.self) {
            bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    return bound == 0 ? socket : nil
}

private func journal(_ threshold: LogPriority = .information) throws -> Journal {
    try Journal(identifier: "entralogind", threshold: threshold) { lost in
        LogRecord(.warning, "lost \(lost.count)", [])
    }
}

/// The lines of the next datagram in the journal's native protocol, `NAME=value`; empty if there is none.
private func received(_ socket: Int32, _ flags: Int32) -> [String] {
    var bytes = [UInt8](repeating: 0, count: 8192)
    let got = recv(socket, &bytes, bytes.count, flags)
    guard got > 0 else { return [] }
    return String(decoding: bytes[..<got], as: UTF8.self).split(separator: "\n").map(String.init)
}

@Suite struct JournalSocketTests {
    @Test(
        "P15: a record reaches the journal with its fields, P12: and text from outside makes no further field",
        .enabled(if: geteuid() == 0, "only root can have a /run of its own")
    )
    func fields() async {
        await #expect(processExitsWith: .exitCode(7)) {
            guard let socket = makeJournalSocket() else { exit(1) }
            try journal().write(
                LogRecord(
                    .notice,
                    "Signed in\nPRIORITY=0",
                    [
                        LogField("ENTRALOGIN_USER", "alice@contoso.com"),
                        LogField("ENTRALOGIN_DETAIL", "x\nROLE=administrator"),
                    ]
                )
            )
            try journal(.warning).write(LogRecord(.notice, "dropped", []))
            let expected: Set = [
                "MESSAGE=Signed in\\u{a}PRIORITY=0", "PRIORITY=5", "SYSLOG_IDENTIFIER=entralogind",
                "ENTRALOGIN_USER=alice@contoso.com", "ENTRALOGIN_DETAIL=x\\u{a}ROLE=administrator",
            ]
            guard Set(received(socket, Int32(MSG_DONTWAIT))) == expected else { exit(3) }
            exit(received(socket, Int32(MSG_DONTWAIT)).isEmpty ? 7 : 4)
        }
    }

    @Test(
        "P15: a journal that reads nothing blocks no writer; when it reads, what waited comes in order, then what is new",
        .enabled(if: geteuid() == 0, "only root can have a /run of its own")
    )
    func standstill() async {
        await #expect(processExitsWith: .exitCode(7)) {
            guard let socket = makeJournalSocket() else { exit(1) }
            let journal = try journal()
            // More than any queue of the kernel holds: SO_SNDBUF is 212,992 bytes, and a record takes at least 2,000.
            let count = 1000
            let filler = LogField("X", String(repeating: "x", count: 2000))
            for number in 0..<count { journal.write(LogRecord(.notice, "number \(number)", [filler])) }
            guard journal.standing.waiting > 0 else { exit(2) }
            let lost = journal.standing.lost
            for number in 0..<count - lost where received(socket, 0).first != "MESSAGE=number \(number)" { exit(3) }
            guard lost == 0 || received(socket, 0).first == "MESSAGE=lost \(lost)" else { exit(4) }
            journal.write(LogRecord(.notice, "afterwards", []))
            guard received(socket, 0).first == "MESSAGE=afterwards" else { exit(5) }
            exit(7)
        }
    }

    @Test("P15: standard error that nobody reads blocks no writer")
    func pipe() async {
        await #expect(processExitsWith: .exitCode(7)) {
            var ends: [Int32] = [-1, -1]
            guard Glibc.pipe(&ends) == 0, dup2(ends[1], STDERR_FILENO) >= 0 else { exit(1) }
            let journal = try Journal(StandardError()) { LogRecord(.warning, "lost \($0.count)", []) }
            let filler = LogField("X", String(repeating: "x", count: 2000))
            for _ in 0..<1000 { journal.write(LogRecord(.notice, "m", [filler])) }
            exit(journal.standing.waiting > 0 ? 7 : 2)
        }
    }
}
