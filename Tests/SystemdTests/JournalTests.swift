// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Systemd

@Suite struct JournalTests {
    @Test("a record without a journal is one line with its level and quoted fields")
    func line() {
        let line = Journal.line(.notice, "Signed in", [LogField("ENTRALOGIN_USER", "alice@contoso.com")])
        #expect(line == "<5>Signed in ENTRALOGIN_USER=\"alice@contoso.com\"\n")
    }

    @Test("P12: control characters, newlines and quotes cannot forge a second record or field")
    func forging() {
        let line = Journal.line(.notice, LogText.bounded("a\nb\u{1b}[1m"), [LogField("X", "1\" Y=\"2\n<0>boo\u{202e}")])
        #expect(line == "<5>a\\u{a}b\\u{1b}[1m X=\"1\\\" Y=\\\"2\\\\u{a}<0>boo\\\\u{202e}\"\n")
        #expect(line.filter(\.isNewline).count == 1)
    }

    @Test("P12: a value from outside is bounded")
    func bounded() {
        let text = LogText.bounded(String(repeating: "ä", count: 10_000))
        #expect(text.utf8.count <= Journal.longestValue + 4)
        #expect(text.hasSuffix("…"))
    }
}

/// A function that the headers show only under _GNU_SOURCE.
private func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: type) }
}

/// Gives this thread a /run of its own, empty, with a journal's socket in it.
private func makeJournalSocket() -> Int32? {
    typealias Unshare = @convention(c) (Int32) -> Int32
    typealias Mount =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UInt, UnsafeRawPointer?
        ) -> Int32
    guard let unshare = symbol("unshare", as: Unshare.self), let mount = symbol("mount", as: Mount.self) else {
        return nil
    }
    // CLONE_NEWNS; MS_REC and MS_PRIVATE: nothing of this reaches the machine.
    guard unshare(0x0002_0000) == 0, mount(nil, "/", nil, 0x4000 | 0x40000, nil) == 0 else { return nil }
    guard mount("tmpfs", "/run", "tmpfs", 0, nil) == 0 else { return nil }
    guard mkdir("/run/systemd", 0o755) == 0, mkdir("/run/systemd/journal", 0o755) == 0 else { return nil }
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "/run/systemd/journal/socket".utf8) }
    let bound = withUnsafeBytes(of: &address) { bytes in
        bytes.withMemoryRebound(to: sockaddr.self) {
            bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    return bound == 0 ? socket : nil
}

@Suite struct JournalSocketTests {
    @Test(
        "P15: a record reaches the journal with its fields, P12: and text from outside makes no further field",
        .enabled(if: geteuid() == 0, "only root can have a /run of its own")
    )
    func fields() async {
        await #expect(processExitsWith: .exitCode(7)) {
            guard let socket = makeJournalSocket() else { exit(1) }
            Journal(identifier: "entralogind").write(
                .notice,
                "Signed in\nPRIORITY=0",
                [
                    LogField("ENTRALOGIN_USER", "alice@contoso.com"),
                    LogField("ENTRALOGIN_DETAIL", "x\nROLE=administrator"),
                ]
            )
            Journal(identifier: "entralogind", threshold: .warning).write(.notice, "dropped", [])
            var bytes = [UInt8](repeating: 0, count: 8192)
            let got = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard got > 0 else { exit(2) }
            // The journal's native protocol: NAME=value, one a line, as long as no value has a newline.
            let lines = Set(String(decoding: bytes[..<got], as: UTF8.self).split(separator: "\n").map(String.init))
            let expected: Set = [
                "MESSAGE=Signed in\\u{a}PRIORITY=0", "PRIORITY=5", "SYSLOG_IDENTIFIER=entralogind",
                "ENTRALOGIN_USER=alice@contoso.com", "ENTRALOGIN_DETAIL=x\\u{a}ROLE=administrator",
            ]
            guard lines == expected else { exit(3) }
            let more = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            exit(more == -1 ? 7 : 4)
        }
    }
}
