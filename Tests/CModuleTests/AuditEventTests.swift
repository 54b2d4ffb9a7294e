// SPDX-License-Identifier: Apache-2.0

import AuditEvents
import CWire
import Glibc
import TestSupport
import Testing

/// The daemon's datagram as audit-events reads it, and the message to the kernel.
@Suite("AuditEvents")
struct AuditEventTests {
    private struct Fields {
        var event = ENTRALOGIN_AUDIT_ACCOUNT
        var result: UInt32 = 0
        var texts = [
            "carol@contoso.com", "0b1ec700-0000-4000-8000-0000000000c0", "sshd", "role-not-assigned", "", "5cb9",
        ]

        var message: [UInt8] {
            var frame = Frame().u16(event).u16(result)
            for text in texts { frame = frame.string(text) }
            return frame.bytes(ENTRALOGIN_AUDIT_EVENT, reply: false)
        }
    }

    private func text(of message: [UInt8]) -> (type: UInt16, text: String)? {
        var told = entralogin_audit_text()
        guard entralogin_audit_text_of(message, message.count, &told) == 0 else { return nil }
        let length = Int(told.length)
        return withUnsafeBytes(of: &told.text) { bytes in
            #expect(bytes[length] == 0)
            return (told.type, String(decoding: bytes.prefix(length), as: UTF8.self))
        }
    }

    private static let end = #" exe="/usr/libexec/entralogin/audit-events" hostname=? addr=? terminal=? res="#

    @Test("A refusal has the type of authorizations, the person, the reason and the id")
    func refusal() throws {
        let told = try #require(text(of: Fields().message))
        #expect(told.type == 1101)
        let fields =
            #"op=entralogin:account acct="carol@contoso.com" uuid=0b1ec700-0000-4000-8000-0000000000c0 "#
            + "service=sshd reason=role-not-assigned correlation=5cb9"
        #expect(told.text == fields + Self.end + "failed")
    }

    @Test(
        "Each event has its type and its operation, and no other is taken",
        arguments: [
            (ENTRALOGIN_AUDIT_CERTIFICATE, 1100, "entralogin:certificate"),
            (ENTRALOGIN_AUDIT_ACCOUNT, 1101, "entralogin:account"),
            (ENTRALOGIN_AUDIT_SESSION, 1101, "entralogin:session"),
            (ENTRALOGIN_AUDIT_GRANTED, 1102, "add-user-to-group"),
            (ENTRALOGIN_AUDIT_WITHDRAWN, 1102, "delete-user-from-group"),
            (ENTRALOGIN_AUDIT_DEVICE, 1100, "entralogin:device-sign-in"),
            (ENTRALOGIN_AUDIT_ENDED, 1106, "entralogin:sessions-ended"),
        ]
    )
    func kinds(event: UInt32, type: UInt16, operation: String) throws {
        let told = try #require(text(of: Fields(event: event, result: 1).message))
        #expect(told.type == type && told.text.hasPrefix("op=\(operation) acct=") && told.text.hasSuffix("res=success"))
        for other in [0, 8, 9, 0xffff] as [UInt32] { #expect(text(of: Fields(event: other).message) == nil) }
        #expect(text(of: Fields(event: event, result: 2).message) == nil)
    }

    @Test(
        "P12: Text from outside cannot end its field, begin another or leave the kernel's quotes",
        arguments: [
            ("alice", #""alice""#), ("", "?"), ("a b", "612062"), ("a\"b", "612262"), ("a'b", "612762"),
            ("a=b", "613D62"),
            ("a\nb", "610A62"), ("ä", "C3A4"), ("x\" res=success", "7822207265733D73756363657373"), ("\u{7f}", "7F"),
        ]
    )
    func encoding(name: String, field: String) throws {
        var fields = Fields()
        fields.texts[0] = name
        let told = try #require(text(of: fields.message))
        #expect(told.text.hasPrefix("op=entralogin:account acct=\(field) uuid="))
        #expect(told.text.split(separator: " res=").count == 2)
    }

    @Test("P12: What the dictionary reads as it stands is plain, or a question mark; what is empty is left out")
    func alphanumeric() throws {
        var fields = Fields()
        fields.texts = ["a", "0b1e' acct=root", "ss hd", "", "entra admins", "\u{e9}"]
        let told = try #require(text(of: fields.message))
        #expect(
            told.text == #"op=entralogin:account acct="a" uuid=? service=? grp=656E7472612061646D696E73 "#
                + "correlation=?" + Self.end + "failed"
        )
    }

    @Test("What is cut, prolonged, too long or not the daemon's frame is passed over")
    func strict() {
        let good = Fields().message
        for length in 0..<good.count { #expect(text(of: Array(good.prefix(length))) == nil, "\(length)") }
        #expect(text(of: good + [0]) == nil)
        var long = Fields()
        long.texts[3] = String(repeating: "x", count: 128)
        #expect(text(of: long.message) != nil)
        long.texts[3] += "x"
        #expect(text(of: long.message) == nil)
        #expect(text(of: Frame().u16(2).u16(0).bytes(ENTRALOGIN_AUTHORIZE, reply: false)) == nil)
        #expect(text(of: [UInt8](repeating: 0, count: 4096)) == nil)
    }

    @Test("The longest texts, in hexadecimal where that may be, fit")
    func longest() throws {
        var fields = Fields()
        fields.texts = Array(repeating: String(repeating: "'", count: 128), count: 6)
        let told = try #require(text(of: fields.message))
        #expect(told.text.utf8.count > 2 * 256 && told.text.utf8.count < Int(ENTRALOGIN_AUDIT_TEXT_MAX))
    }

    // MARK: Serving

    /// Passes messages through a datagram socket with the senders' credentials; a socket pair stands for netlink.
    /// Returns the result and the error messages.
    private func serve(_ messages: [[UInt8]], owner: UInt32) -> (result: Int32, errors: String) {
        var ends: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends)
        var on: Int32 = 1
        setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, socklen_t(MemoryLayout<Int32>.size))
        for message in messages { _ = send(ends[0], message, message.count, 0) }
        var kernel: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &kernel)
        var errors: [Int32] = [-1, -1]
        pipe(&errors)
        // No message reaches the kernel's socket: sendto(2) with an address fails on a connected socket.
        let result = entralogin_audit_serve(ends[1], owner, kernel[0], 0, errors[1])
        close(errors[1])
        var said = [UInt8](repeating: 0, count: 4096)
        let count = read(errors[0], &said, said.count)
        for descriptor in ends + kernel + [errors[0]] { close(descriptor) }
        return (result, String(decoding: said.prefix(max(0, count)), as: UTF8.self))
    }

    @Test("P10: Datagrams of another than the socket's owner, and such that cannot be read, are passed over, told once")
    func senders() {
        let good = Fields().message
        let others = serve([good, good], owner: getuid() + 1)
        // An attempt to send it would be an error, as in the next test.
        #expect(others.result == 0)
        #expect(others.errors == "audit-events: passed over a message that is not the daemon's\n")
        let broken = serve([[1, 2, 3], [], [UInt8](repeating: 7, count: 3000)], owner: getuid())
        #expect(broken.result == 0 && broken.errors == "audit-events: passed over a message that cannot be read\n")
    }

    @Test("A kernel that does not take an event is told once, and what waits is taken all the same")
    func refusedByKernel() {
        let seen = serve(Array(repeating: Fields().message, count: 5), owner: getuid())
        #expect(seen.result == 0)
        #expect(seen.errors.hasPrefix("audit-events: the kernel does not take an event: "))
        #expect(seen.errors.split(separator: "\n").count == 1)
    }
}
