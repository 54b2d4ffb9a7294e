// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import AzureServices
import HTTPTransport
import Identity
import OpenSSHCertificates
import Settings

/// The result of a sign-in or a sudo.
enum Outcome {
    case admitted
    case refused
}

protocol FleetMember: Sendable {
    /// Starts the daemon.
    func start()
    /// Decides about a person by number, as for PAM's account stage: `age` is how old an answer may be. If the person
    /// is admitted, a session of `seconds` begins; 0: none.
    func decide(_ person: Int, age: Duration, session seconds: Double) async -> Outcome
    var openSessions: Int { get }
}

/// One machine's way to the endpoints.
struct VirtualTransport: HTTPTransport {
    let azure: VirtualAzure
    let machine: Int

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        try await azure.answer(request, machine: machine)
    }
}

/// The daemon's own code: discovery, tokens, keys, checkers, retries, caches, grace and renewal, on the virtual loop.
final class FleetMachine: FleetMember {
    private let loop: VirtualLoop
    private let random: SeededRandom
    private let connection: AzureConnection
    private let access: AccessControl
    private let tenant: TenantID
    private let sessions: FleetSessions

    init(_ number: Int, azure: VirtualAzure, userInterval: Duration) throws {
        loop = azure.loop
        random = SeededRandom(UInt64(number) &+ 1_000_000)
        guard let tenant = TenantID(VirtualAzure.tenant) else { throw FleetError.badConstant }
        self.tenant = tenant
        let environment = AzureEnvironment(
            transport: VirtualTransport(azure: azure, machine: number),
            time: loop,
            random: random,
            tasks: loop,
            proxy: .none
        )
        connection = AzureConnection(
            environment,
            endpoints: AzureEndpoints(),
            metadata: .instance(clientID: nil),
            order: [.pas, .arm],
            store: MachineStore(load: { nil }, save: { _ in })
        )
        let nobody = Nobody()
        let sessions = FleetSessions(loop: loop)
        self.sessions = sessions
        var settings = AccessSettings()
        // With this, the rounds go by login sessions. They ask about the same people as without it: those signed in.
        settings.endSessionsAfter = .zero
        settings.userInterval = userInterval
        access = AccessControl(
            AccessPorts(
                time: loop,
                random: random,
                starter: loop,
                log: nobody,
                machines: connection.machines,
                checker: connection.checker,
                accounts: sessions,
                grants: sessions,
                signIns: nobody,
                processes: sessions,
                stamp: nobody,
                certificates: CertificateVerifier(signatures: nobody, digests: nobody),
                revocation: NothingRevoked(),
                keySources: connection.keySources(.jwks),
                persistedKeys: nil,
                // With a boot id, as on a real machine, the daemon does not rewrite the key file if only times differ.
                bootID: "0f3c1a52-0000-4000-8000-000000000001",
                publishKeys: { _ in }
            ),
            settings: settings
        )
    }

    var openSessions: Int { sessions.count }

    func start() {
        connection.machines.start()
        access.start()
    }

    func decide(_ person: Int, age: Duration, session seconds: Double) async -> Outcome {
        guard let object = ObjectID(VirtualAzure.objectID(0x100000 + person)) else { return .refused }
        let demand = DecisionDemand(
            maximumAge: age,
            deadline: loop.bootTime().advanced(by: .seconds(8)),
            takesUserAtOnce: true
        )
        let identity = DirectoryIdentity(tenant: tenant, objectID: object)
        let ruling = await access.authorizer.decide(identity, under: demand, correlation: random.correlationID())
        guard case .allow(let role, _) = ruling.decision else { return .refused }
        if seconds > 0 { sessions.open(person, identity, isAdministrator: role == .administrator, seconds: seconds) }
        return .admitted
    }
}

/// A machine that behaves as many programs do: it asks each time, retries after a second whatever the answer was, and
/// has fixed periods that begin with its start.
final class NaiveMachine: FleetMember {
    private let loop: VirtualLoop
    private let transport: VirtualTransport

    var openSessions: Int { 0 }

    init(_ number: Int, azure: VirtualAzure) {
        loop = azure.loop
        transport = VirtualTransport(azure: azure, machine: number)
    }

    func start() {
        loop.start { [self] in
            while true {
                while !(await isAnswered("https://login.microsoftonline.com/common/discovery/keys")) {
                    await loop.sleep(1)
                }
                await loop.sleep(86_400)
            }
        }
    }

    func decide(_ person: Int, age: Duration, session seconds: Double) async -> Outcome {
        let deadline = loop.now + .seconds(8)
        while loop.now < deadline {
            if await isAnswered("https://pas.windows.net/") { return .admitted }
            await loop.sleep(1)
        }
        return .refused
    }

    private func isAnswered(_ url: String) async -> Bool {
        let response = try? await transport.send(HTTPRequest(.get, url, timeout: .seconds(8)))
        return response?.status == 200
    }
}

enum FleetError: Error {
    case badConstant
    case usage(String)
    case beyond(String)
}

/// Ports that this simulation does not need: no sign-ins, no certificates, no log.
struct Nobody: SignInRegistry, StackStamp, SignatureVerifier, KeyDigests, RecordLog {
    func noteSignIn(_ identity: DirectoryIdentity, at time: UnixTime) {}
    func lastSignIn(_ identity: DirectoryIdentity) -> UnixTime? { nil }
    func knownSignIn(_ enrolled: EnrolledAccount) -> UnixTime? { nil }
    func refusal() -> Denial? { nil }
    func isValid(_: Signature, over _: ArraySlice<UInt8>, by _: PublicKey) -> Bool { false }
    func digest(_: FingerprintAlgorithm, of _: [UInt8]) -> [UInt8]? { nil }
    func record(_ record: DecisionRecord) {}
}
