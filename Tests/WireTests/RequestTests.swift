// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing
import Wire

/// Requests of each verb, with optional fields set and not set.
let everyRequest: [Request] = [
    .lookUpName("alice@contoso.com", command: "sshd"),
    .checkCertificate(
        CertificateRequest(
            user: "alice@contoso.com",
            uid: 1_900_000_001,
            home: "/home/alice@contoso.com",
            keyType: "ssh-rsa-cert-v01@openssh.com",
            certificate: "AAAA",
            sshdProcess: 4711
        )
    ),
    .authorize(
        AccountRequest(
            service: "sudo",
            user: "root",
            uid: 0,
            home: "/root",
            invokingUser: "alice@contoso.com",
            invokingUID: 1_900_000_001,
            holdsAdministratorsGroup: true,
            isInSSHD: false,
            terminal: "pts/0",
            remoteHost: ""
        )
    ),
    .authorize(AccountRequest(service: "sshd", user: "b@c", uid: 1_900_000_002, home: "/home/b@c", isInSSHD: true)),
    .authorize(nameTaken),
    .openSession(session(.absent)),
    .openSession(session(.folder(owner: 1_900_000_001))),
    .openSession(session(.strange)),
    .openSession(session(.exposed(length: 5))),
    .closeSession(user: "alice@contoso.com", uid: 1_900_000_001),
    .beginDevice(
        DeviceRequest(
            service: "login",
            user: "alice@contoso.com",
            uid: 1_900_000_001,
            home: "/home/alice@contoso.com",
            isInSSHD: true,
            terminal: "tty1",
            remoteHost: "192.0.2.1"
        )
    ),
    .beginDevice(DeviceRequest(service: "su", user: "b@c", uid: 1_900_000_002, home: "/home/b@c", realUID: 1000)),
    .beginDevice(
        DeviceRequest(
            service: "sudo",
            user: "b@c",
            uid: 1_900_000_002,
            home: "/home/b@c",
            holdsAdministratorsGroup: true
        )
    ),
    .awaitDevice(handle: "5cb92239"),
    .statusReport,
    .users(after: ""),
    .explain("alice@contoso.com"),
    .testCertificate(user: "", certificate: "ssh-rsa-cert-v01@openssh.com AAAA"),
    .flush, .refreshKeys,
    .retire("alice@contoso.com"),
    .showUser("alice@contoso.com"),
    .rebind("alice@contoso.com", objectID: "00000000-0000-4000-8000-000000000009"),
    .rename("alice@contoso.com", to: "alicia@contoso.com"),
    .check("alice@contoso.com", objectID: ""),
    .check("alice@contoso.com", objectID: "00000000-0000-4000-8000-000000000009"),
    .sessions,
    .keys,
    .setShell("alice@contoso.com", shell: "/bin/zsh"),
    .setHome("alice@contoso.com", home: "/data/alice"),
    .endSessions("alice@contoso.com"), .lock("alice@contoso.com"), .unlock("alice@contoso.com"), .access, .settings,
    .add("alice@contoso.com", objectID: "00000000-0000-4000-8000-000000000009", groups: []),
    .add("alice@contoso.com", objectID: "00000000-0000-4000-8000-000000000009", groups: ["docker", "", "lxd"]),
]

private var nameTaken: AccountRequest {
    var request = AccountRequest(service: "sshd", user: "b@c", uid: 1_900_000_002, home: "/home/b", isInSSHD: true)
    request.isNameTaken = true
    return request
}

private func session(_ home: HomeState) -> SessionRequest {
    SessionRequest(
        service: "sshd",
        user: "alice@contoso.com",
        uid: 1_900_000_001,
        gid: 1_900_000_001,
        home: "/home/alice@contoso.com",
        homeState: home,
        authenticationInfo: "publickey ssh-rsa-cert-v01@openssh.com AAAA\n",
        remoteHost: "192.0.2.1"
    )
}

@Suite struct RequestTests {
    @Test("the list above holds every verb")
    func complete() {
        #expect(Set(everyRequest.map(\.verb)) == Set(Verb.allCases))
    }

    @Test("what is encoded is decoded", arguments: everyRequest)
    func roundTrip(request: Request) throws {
        #expect(try Request(frame: request.encode()) == request)
    }

    @Test("P13: a frame cut at any byte is refused", arguments: everyRequest)
    func truncated(request: Request) throws {
        let frame = try request.encode()
        for length in 0..<frame.count {
            #expect(throws: FrameError.self) { try Request(frame: Array(frame.prefix(length))) }
        }
    }

    @Test("P13: a byte too many is refused, inside the payload and after it", arguments: everyRequest)
    func trailing(request: Request) throws {
        let frame = try request.encode()
        #expect(throws: FrameError.malformed(opcode: request.verb.rawValue)) { try Request(frame: frame + [0]) }
        var longer = frame + [0]
        longer[11] &+= 1
        #expect(throws: FrameError.self) { try Request(frame: longer) }
    }

    @Test("another version, another magic and an unknown verb are told apart")
    func header() throws {
        let frame = try Request.flush.encode()
        var other = frame
        other[5] = 9
        #expect(throws: FrameError.version(opcode: Verb.flush.rawValue)) { try Request(frame: other) }
        other = frame
        other[0] = 0
        #expect(throws: FrameError.notOurs) { try Request(frame: other) }
        other = frame
        other[6] = 0x7f
        #expect(throws: FrameError.malformed(opcode: 0x7f05)) { try Request(frame: other) }
    }

    @Test("P13: a NUL inside a string and a string that is not UTF-8 are refused")
    func text() throws {
        let frame = try Request.explain("ab").encode()
        for bad: UInt8 in [0, 0xff] {
            var other = frame
            other[frame.count - 1] = bad
            #expect(throws: FrameError.self) { try Request(frame: other) }
        }
    }

    @Test("a field above its limit is not encoded")
    func limits() {
        #expect(throws: (any Error).self) { try Request.explain(String(repeating: "a", count: 5000)).encode() }
        #expect(throws: (any Error).self) {
            try Request.testCertificate(user: "", certificate: String(repeating: "a", count: 70_000)).encode()
        }
    }

    @Test("a home whose state or owner makes no sense is strange")
    func homeStates() throws {
        let frame = try Request.openSession(session(.absent)).encode()
        // The home's state and its owner follow the home. Here: a state that does not exist, and absent with an owner.
        let home = Array("/home/alice@contoso.com".utf8)
        let start = try #require(
            (0..<frame.count - home.count).first { Array(frame[$0..<$0 + home.count]) == home }
        )
        let state = start + home.count
        for (offset, value) in [(1, UInt8(9)), (2, UInt8(0))] {
            var other = frame
            other[state + offset] = value
            guard case .openSession(let read) = try Request(frame: other) else {
                Issue.record("not an open_session")
                continue
            }
            #expect(read.homeState == .strange)
        }
    }
}
