// SPDX-License-Identifier: Apache-2.0

import Authorization
import AuthorizedPrincipals
import CClient
import CWire
import Glibc
import Identity
import PAM
import Testing
import Wire

/// Compares the C programs with the daemon's own codec (Wire): two implementations of one header.
@Suite("Agreement of the C programs with the daemon's codec")
struct AgreementTests {
    private static let home = "/home/\(FakeStack.name)"
    private static let credential = "publickey ssh-rsa-cert-v01@openssh.com AAAA\n"

    /// The result and the request of one stage, which the daemon answers with `response`.
    private func run(
        _ stage: FakeStack.Stage,
        _ stack: FakeStack,
        _ verb: Verb,
        answer response: Response
    ) throws -> (result: Int32, request: [UInt8]) {
        let frame = try response.encode(opcode: verb.rawValue)
        let daemon = FakeDaemon { _ in .frame(frame) }
        defer { daemon.stop() }
        let result = daemon.withServer { stack.run(stage, $0) }
        return (result, try #require(daemon.requests.first))
    }

    @Test("The daemon reads the PAM module's questions field for field, and would have written them so")
    func questionsOfPAM() throws {
        let sudo = FakeStack(service: "sudo", user: "root", invoking: FakeStack.name)
        let lifted = AccountRequest(
            service: "sudo",
            user: "root",
            uid: 0,
            home: "/root",
            invokingUser: FakeStack.name,
            invokingUID: FakeStack.uid,
            terminal: "ssh",
            remoteHost: "192.0.2.7"
        )
        let signIn = AccountRequest(
            service: "sshd",
            user: FakeStack.name,
            uid: FakeStack.uid,
            home: Self.home,
            isInSSHD: true,
            terminal: "ssh",
            remoteHost: "192.0.2.7"
        )
        let session = SessionRequest(
            service: "sshd",
            user: FakeStack.name,
            uid: FakeStack.uid,
            gid: FakeStack.uid,
            home: Self.home,
            homeState: geteuid() == 0 ? .absent : .strange,
            authenticationInfo: Self.credential,
            remoteHost: "192.0.2.7"
        )
        let opening = FakeStack(environment: Self.credential)
        let asked: [([UInt8], Request)] = [
            (try run(.account, sudo, .authorize, answer: .verdict(.allow)).request, .authorize(lifted)),
            (try run(.account, FakeStack(), .authorize, answer: .verdict(.allow)).request, .authorize(signIn)),
            (try run(.open, opening, .openSession, answer: .verdict(.allow)).request, .openSession(session)),
            (
                try run(.close, FakeStack(), .closeSession, answer: .done).request,
                .closeSession(user: FakeStack.name, uid: FakeStack.uid)
            ),
        ]
        for (frame, request) in asked {
            #expect(try Request(frame: frame) == request)
            #expect(try request.encode() == frame)
        }
    }

    @Test("The daemon's verdicts have the results that the stack is written for, and every other answer denies")
    func answersToPAM() throws {
        let verdicts: [(StageVerdict, Int32, Int32)] = [
            (.allow, PAM_SUCCESS, PAM_SUCCESS), (.ignore, PAM_IGNORE, PAM_IGNORE),
            (.deny(Denial(.roleNotAssigned), text: "why"), PAM_PERM_DENIED, PAM_SESSION_ERR),
            (.deny(Denial(.unreachable), text: "why"), PAM_AUTHINFO_UNAVAIL, PAM_SESSION_ERR),
        ]
        for (verdict, account, open) in verdicts {
            #expect(try run(.account, FakeStack(), .authorize, answer: .verdict(verdict)).result == account)
            #expect(try run(.open, FakeStack(), .openSession, answer: .verdict(verdict)).result == open)
        }
        let refusal = WireRefusal(reason: "role_missing", text: "no role", correlation: "1")
        for other: Response in [
            .done, .notFound, .refused(refusal), .unavailable, .forbidden, .malformed, .version, .principal("allow"),
        ] {
            #expect(try run(.account, FakeStack(), .authorize, answer: other).result == PAM_AUTHINFO_UNAVAIL)
            #expect(try run(.open, FakeStack(), .openSession, answer: other).result == PAM_SESSION_ERR)
        }
        #expect(try run(.close, FakeStack(), .closeSession, answer: .done).result == PAM_SUCCESS)
    }

    @Test("The helper's question and the daemon's principal are the other's, byte for byte")
    func helper() throws {
        let reply = try Response.principal("Alice@Contoso.com").encode(opcode: Verb.checkCertificate.rawValue)
        let printed = reply.withUnsafeBytes { frame in
            var length = 0
            return entralogin_principal_of(frame.baseAddress, frame.count, FakeStack.name, &length) != nil
        }
        #expect(printed)
        let daemon = FakeDaemon { _ in .close }
        defer { daemon.stop() }
        let type = "ssh-rsa-cert-v01@openssh.com"
        let arguments = ["authorized-principals", FakeStack.name, "\(FakeStack.uid)", Self.home, type, "AAAA"]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for word in words { free(word) } }
        let status = daemon.withServer { server in
            var server = server
            return entralogin_print_principal(&server, Int32(arguments.count), &words, -1)
        }
        #expect(status == 0)
        let request = Request.checkCertificate(
            CertificateRequest(
                user: FakeStack.name,
                uid: FakeStack.uid,
                home: Self.home,
                keyType: type,
                certificate: "AAAA",
                sshdProcess: UInt32(getppid())
            )
        )
        #expect(try daemon.requests == [request.encode()])
    }

    @Test("The record that the daemon's codec writes is read field for field by the C cursor")
    func record() throws {
        let account = Published.account(1)
        let frame = try Response.account(account).encode(opcode: Verb.lookUpName.rawValue)
        let fields = frame.withUnsafeBytes { raw -> [String]? in
            var reader = entralogin_reader()
            let status = entralogin_open_reply(&reader, raw.baseAddress, raw.count, Verb.lookUpName.rawValue)
            guard status == Int32(ENTRALOGIN_STATUS_OK) else { return nil }
            var fields = (0..<2).map { _ in "\(entralogin_get_u32(&reader))" }
            for _ in 0..<4 {
                var length = 0
                let text = entralogin_get_string(&reader, &length)
                fields.append(String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self))
            }
            return entralogin_consumed(&reader) != 0 ? fields : nil
        }
        let id = "\(account.uid)"
        #expect(fields == [id, id, account.name.text, account.displayName, account.home, account.shell])
    }
}
