// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import LinuxSystem
import Server
import Synchronization
import TestSupport
import Testing
import Wire

let contoso = "9b1c3d5e-0000-4000-8000-000000000001"

func name(_ text: String) throws -> UserName { try #require(UserName(text), "\(text)") }

func account(_ text: String = "alice@contoso.com", uid number: UInt32 = 7) throws -> Account {
    Account(
        name: try name(text),
        uid: try #require(PosixID(user: PosixID.userRange.lowerBound + number)),
        displayName: "Alice",
        home: "/home/\(text)",
        shell: "/bin/bash"
    )
}

func identity(_ number: Int = 1) throws -> DirectoryIdentity {
    let digits = String(number)
    let objectID = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    return DirectoryIdentity(tenant: try #require(TenantID(contoso)), objectID: try #require(ObjectID(objectID)))
}

let sampleCorrelation = "11111111-2222-4333-8444-555555555555"

func correlation() throws -> CorrelationID { CorrelationID(try #require(GUID(sampleCorrelation))) }

extension Request {
    /// A request of each kind.
    static func sample(_ verb: Verb) -> Request {
        switch verb {
        case .lookUpName: .lookUpName("alice@contoso.com", command: "sshd-session")
        case .checkCertificate:
            .checkCertificate(
                CertificateRequest(
                    user: "alice@contoso.com",
                    uid: 7,
                    home: "/home/alice@contoso.com",
                    keyType: "ssh-rsa-cert-v01@openssh.com",
                    certificate: "AAAA",
                    sshdProcess: 4711
                )
            )
        case .authorize:
            .authorize(AccountRequest(service: "sshd", user: "alice@contoso.com", uid: 7, home: "/h", isInSSHD: true))
        case .openSession:
            .openSession(
                SessionRequest(
                    service: "sshd",
                    user: "alice@contoso.com",
                    uid: 7,
                    gid: 7,
                    home: "/h",
                    homeState: .folder(owner: 7),
                    authenticationInfo: "publickey x"
                )
            )
        case .closeSession: .closeSession(user: "alice@contoso.com", uid: 7)
        case .beginDevice:
            .beginDevice(
                DeviceRequest(service: "login", user: "alice@contoso.com", uid: 7, home: "/h", terminal: "tty1")
            )
        case .awaitDevice: .awaitDevice(handle: "h")
        case .statusReport: .statusReport
        case .users: .users(after: "alice@contoso.com")
        case .explain: .explain("alice@contoso.com")
        case .testCertificate: .testCertificate(user: "", certificate: "ssh-rsa AAAA")
        case .flush: .flush
        case .retire: .retire("alice@contoso.com")
        case .showUser: .showUser("alice@contoso.com")
        case .rebind: .rebind("alice@contoso.com", objectID: "00000000-0000-4000-8000-000000000009")
        case .rename: .rename("alice@contoso.com", to: "alicia@contoso.com")
        case .check: .check("alice@contoso.com", objectID: "")
        case .sessions: .sessions
        case .keys: .keys
        case .refreshKeys: .refreshKeys
        case .setShell: .setShell("alice@contoso.com", shell: "/bin/zsh")
        case .setHome: .setHome("alice@contoso.com", home: "/data/alice")
        case .endSessions: .endSessions("alice@contoso.com")
        case .lock: .lock("alice@contoso.com")
        case .unlock: .unlock("alice@contoso.com")
        case .access: .access
        case .settings: .settings
        case .add: .add("alice@contoso.com", objectID: "00000000-0000-4000-8000-000000000009", groups: ["docker"])
        }
    }
}

/// Services that record their calls, with the caller's pid, and answer as a test says.
final class FakeServices: Sendable {
    struct Call: Hashable, Sendable {
        let request: Request
        let pid: Int32?
    }

    struct Answers: Sendable {
        var name = Response.notFound
        var principal = PrincipalVerdict.principal("alice@contoso.com")
        var stage = StageVerdict.allow
        var progress = DeviceProgress.pending(handle: "h", text: "t", seconds: 9)
        var report = Response.document(Array("{}".utf8))
    }

    private let seen = Mutex<[Call]>([])
    let answers: Answers
    /// `authorize` waits here, as if for Azure's answer.
    let gate: Gate

    init(_ answers: Answers = Answers(), gate: Gate = Gate(isOpen: true)) {
        self.answers = answers
        self.gate = gate
    }

    var calls: [Call] { seen.withLock { $0 } }

    var routed: RoutedServices {
        RoutedServices(
            lookUp: { [self] name, command in
                note(.lookUpName(name, command: command), nil)
                return answers.name
            },
            checkCertificate: { [self] request in
                note(.checkCertificate(request), nil)
                return answers.principal
            },
            authorize: { [self] request, pid in
                note(.authorize(request), pid)
                await gate.pass()
                return answers.stage
            },
            openSession: { [self] request, pid in
                note(.openSession(request), pid)
                return answers.stage
            },
            closeSession: { [self] user, uid, pid in note(.closeSession(user: user, uid: uid), pid) },
            beginDevice: { [self] request, pid in
                note(.beginDevice(request), pid)
                return answers.progress
            },
            awaitDevice: { [self] handle, pid in
                note(.awaitDevice(handle: handle), pid)
                return answers.progress
            },
            report: { [self] request in
                note(request, nil)
                return [.flush, .retire, .rebind, .rename, .setShell, .setHome, .lock, .unlock].contains(request.verb)
                    ? .done : answers.report
            }
        )
    }

    private func note(_ request: Request, _ pid: Int32?) {
        seen.withLock { $0.append(Call(request: request, pid: pid)) }
    }
}

/// Holds every caller until it is opened.
final class Gate: Sendable {
    private struct State {
        var isOpen: Bool
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(isOpen: Bool = false) { state = Mutex(State(isOpen: isOpen)) }

    var waiting: Int { state.withLock { $0.waiting.count } }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
