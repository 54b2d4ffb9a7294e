// SPDX-License-Identifier: Apache-2.0

import AuthorizedPrincipals
import CClient
import CWire
import Glibc
import Testing

@Suite("AuthorizedPrincipals")
struct PrincipalsTests {
    private static let name = "alice@contoso.com"
    private static let uid = ENTRALOGIN_ID_FIRST + 7_000
    private let arguments = [
        "authorized-principals", Self.name, "\(Self.uid)", "/home/\(Self.name)", "ssh-rsa-cert-v01@openssh.com", "AAAA",
    ]

    private typealias Told = (output: String, status: Int32, requests: [[UInt8]])

    /// Runs the helper; returns its output, exit status and requests. If this process did not run for as long as the
    /// helper waits, the result says nothing about the helper, and the test tries again.
    private func run(_ arguments: [String], answer: FakeDaemon.Answer) -> Told {
        for _ in 0..<9 {
            let began = entralogin_now()
            let told = runOnce(arguments, answer: answer)
            if case .silence = answer { return told }
            let limit = UInt64(ENTRALOGIN_PRINCIPALS_DEADLINE_MS) * 1_000_000
            if entralogin_now() - began < limit { return told }
        }
        return runOnce(arguments, answer: answer)
    }

    private func runOnce(_ arguments: [String], answer: FakeDaemon.Answer) -> Told {
        let daemon = FakeDaemon { _ in answer }
        defer { daemon.stop() }
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for word in words { free(word) } }
        let status = daemon.withServer { server in
            var server = server
            return entralogin_print_principal(&server, Int32(arguments.count), &words, ends[1])
        }
        close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = read(ends[0], &bytes, bytes.count)
        close(ends[0])
        return (String(decoding: bytes.prefix(max(0, count)), as: UTF8.self), status, daemon.requests)
    }

    private func principal(_ text: String) -> FakeDaemon.Answer {
        .frame(Frame().u16(ENTRALOGIN_STATUS_OK).string(text).bytes(ENTRALOGIN_CHECK_CERTIFICATE))
    }

    @Test("A good certificate prints the user's name and a newline")
    func good() {
        let told = run(arguments, answer: principal(Self.name))
        #expect(told.output == "\(Self.name)\n" && told.status == 0)
        let question = Frame().string(Self.name).u32(Self.uid).string("/home/\(Self.name)")
            .string("ssh-rsa-cert-v01@openssh.com").string("AAAA").u32(UInt32(getppid()))
        #expect(told.requests == [question.bytes(ENTRALOGIN_CHECK_CERTIFICATE, reply: false)])
    }

    @Test("The certificate's own spelling is printed, where it is the user's name but for capital letters")
    func spelling() {
        #expect(run(arguments, answer: principal("Alice@Contoso.COM")).output == "Alice@Contoso.COM\n")
    }

    @Test("P4: Every other answer prints nothing, and the exit status is 0 all the same")
    func nothing() {
        let name = Self.name
        let opcode = ENTRALOGIN_CHECK_CERTIFICATE
        let ok = Frame().u16(ENTRALOGIN_STATUS_OK)
        var answers: [FakeDaemon.Answer] = [
            .close, principal(""), principal("bob@contoso.com"), principal("\(name)\n"), principal("\(name),root"),
            principal("\(name)\nroot"), principal("ALICE@contoso.org"), principal("root"),
            principal("cert-authority \(name)"),
            .frame(ok.string(name).string(name).bytes(opcode)), .frame(ok.string(name).bytes(ENTRALOGIN_AUTHORIZE)),
            .frame(ok.string(name).bytes(opcode, version: 2)), .frame(ok.bytes(opcode)),
            .frame([UInt8](repeating: 0x61, count: 10_000)),
        ]
        answers += (1...7).map { .frame(Frame().u16($0).string(name).bytes(opcode)) }
        for answer in answers {
            let told = run(arguments, answer: answer)
            #expect(told.output.isEmpty && told.status == 0 && told.requests.count == 1)
        }
    }

    @Test("P8: A user who cannot be an Entra account's is answered without the daemon")
    func foreign() {
        let changes: [(Int, String)] = [
            (1, "Root"), (1, "a_b"), (1, "systemd-x"), (1, "ALICE@contoso.com"), (1, ""), (1, "a,b@contoso.com"),
            (2, "0"), (2, "999"), (2, ""),
            (2, "18790552000000"), (2, "-1"), (2, "\(Self.uid)x"), (2, "0x70001b58"), (2, "4294967295"),
        ]
        for (index, text) in changes {
            var arguments = arguments
            arguments[index] = text
            let told = run(arguments, answer: principal(arguments[1]))
            #expect(told.output.isEmpty && told.status == 0 && told.requests.isEmpty)
        }
    }

    @Test("A user with an older number is asked about: the daemon knows whether the account is Entra's")
    func mapped() {
        var arguments = arguments
        arguments[2] = "1001"
        #expect(run(arguments, answer: principal(arguments[1])).requests.count == 1)
    }

    @Test("A certificate beyond any limit prints nothing")
    func tooLong() {
        var arguments = arguments
        arguments[5] = String(repeating: "A", count: Int(ENTRALOGIN_CERTIFICATE_MAX) + 1_024)
        let told = run(arguments, answer: principal(Self.name))
        #expect(told.output.isEmpty && told.status == 0 && told.requests.isEmpty)
    }

    @Test("P9: A silent daemon costs one second and prints nothing")
    func silent() {
        let took = elapsed {
            let told = run(arguments, answer: .silence)
            #expect(told.output.isEmpty && told.status == 0)
        }
        #expect(took >= .seconds(1) && took < .seconds(30))
    }

    @Test("A wrong command line is a usage error, and prints nothing")
    func usage() {
        for words in [[], Array(arguments.dropLast()), arguments + ["more"]] {
            let told = run(words, answer: principal(Self.name))
            #expect(told.output.isEmpty && told.status == ENTRALOGIN_PRINCIPALS_USAGE && told.requests.isEmpty)
        }
    }
}
