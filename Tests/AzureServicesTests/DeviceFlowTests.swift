// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import ByteCoding
import HTTPTransport
import Identity
import Libcrypto
import Testing

private let clientID = "c11e0000-0000-4000-8000-0000000000dc"

@Suite struct DeviceFlowTests {
    private static let base = "https://login.microsoftonline.com/\(Fixture.tenant)"
    private static let code = """
        {"device_code":"secret-code","user_code":"ABCD-1234","verification_uri":"https://microsoft.com/devicelogin",\
        "expires_in":900,"interval":5}
        """

    private struct KnownMachine: MachineSource {
        let current: Machine?
        func machine(by deadline: BootTime) async throws(AccessCheckFault) -> Machine {
            guard let current else { throw AccessCheckFault(.machineUnknown, detail: "") }
            return current
        }
    }

    private let fixture = Fixture()

    private func flow() throws -> DeviceFlow {
        DeviceFlow(
            fixture.environment,
            machines: KnownMachine(current: try fixture.machine()),
            clouds: fixture.clouds,
            clientID: try #require(GUID(clientID)),
            clockSkew: .seconds(60),
            signatures: LibcryptoSignatureVerifier()
        )
    }

    private var deadline: BootTime { fixture.clock.bootTime().advanced(by: .seconds(8)) }

    private func redeemed(_ answer: ScriptedTransport.Answer) async throws -> DeviceAnswer {
        fixture.transport.script("\(Self.base)/oauth2/v2.0/devicecode", .answer(200, Self.code))
        fixture.transport.script("\(Self.base)/oauth2/v2.0/token", answer)
        return try await flow().begin(by: deadline).redeem(by: deadline)
    }

    @Test("The forms are RFC 8628's; the device code is in the one that redeems it, and in nothing that is shown")
    func forms() async throws {
        fixture.transport.script("\(Self.base)/oauth2/v2.0/devicecode", .answer(200, Self.code))
        fixture.transport.script("\(Self.base)/oauth2/v2.0/token", .answer(400, #"{"error":"authorization_pending"}"#))
        let grant = try await flow().begin(by: deadline)
        #expect(grant.userCode == "ABCD-1234" && grant.lifetime == .seconds(900) && grant.interval == .seconds(5))
        #expect(try await grant.redeem(by: deadline) == .pending)
        let bodies = fixture.transport.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(
            bodies == [
                "client_id=\(clientID)&scope=openid%20profile",
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=\(clientID)"
                    + "&device_code=secret-code",
            ]
        )
        #expect(!"\(grant)".contains("secret-code"))
    }

    @Test("Each word of Entra's has its answer; what is no answer is a fault, to be asked again")
    func answers() async throws {
        func refusal(_ word: String) async throws -> DenialReason? {
            guard case .refused(let denial) = try await redeemed(.answer(400, #"{"error":"\#(word)"}"#)) else {
                return nil
            }
            return denial.reason
        }
        #expect(try await redeemed(.answer(400, #"{"error":"slow_down"}"#)) == .slowDown)
        #expect(try await refusal("authorization_declined") == .deviceDeclined)
        #expect(try await refusal("expired_token") == .deviceExpired)
        #expect(try await refusal("invalid_grant") == .identityToken)
        let faults: [(ScriptedTransport.Answer, DenialReason)] = [
            (.answer(503), .unreachable), (.answer(429), .throttled), (.error(.unreachable), .unreachable),
            (.answer(400, "<html>"), .malformedAnswer), (.answer(200, "{}"), .malformedAnswer),
        ]
        for (answer, reason) in faults {
            do throws(AccessCheckFault) {
                let grant = try await begun(answer)
                Issue.record("\(try await grant.redeem(by: deadline))")
            } catch {
                #expect(error.reason == reason)
            }
        }
    }

    private func begun(_ answer: ScriptedTransport.Answer) async throws(AccessCheckFault) -> any DeviceGrant {
        fixture.transport.script("\(Self.base)/oauth2/v2.0/token", answer)
        guard let flow = try? flow() else { throw AccessCheckFault(.unsupported, detail: "") }
        return try await flow.begin(by: deadline)
    }

    @Test("A token whose keys cannot be had, or that is none, is a refusal: the code is spent")
    func tokens() async throws {
        let none = try await redeemed(.answer(200, #"{"id_token":"a.b.c"}"#))
        #expect(none == .refused(Denial(.identityToken, detail: "ID token: malformed")))
        let header = Base64.encode(#"{"alg":"RS256","kid":"k"}"#.utf8, .url)
        let good = "\(header).\(Base64.encode("{}".utf8, .url)).AAAA"
        guard case .refused(let denial) = try await redeemed(.answer(200, #"{"id_token":"\#(good)"}"#)) else { return }
        #expect(denial.reason == .unreachable)
        fixture.transport.script("\(Self.base)/discovery/v2.0/keys", .answer(200, #"{"keys":[]}"#))
        let unknown = try await redeemed(.answer(200, #"{"id_token":"\#(good)"}"#))
        #expect(unknown == .refused(Denial(.identityToken, detail: "ID token: key-unknown")))
    }
}

/// Real keys and signatures, with the simulator as Entra.
@Suite(.serialized, .enabled(if: SimulatedAzure.isAvailable), .timeLimit(.minutes(15)))
struct SimulatedDeviceFlowTests {
    private let azure: SimulatedAzure
    private let discovery: MachineDiscovery
    private let clouds: CloudDirectory

    init() throws {
        azure = try SimulatedAzure()
        let service = InstanceMetadataClient(azure.environment, endpoints: azure.endpoints)
        clouds = CloudDirectory(azure.environment, endpoints: azure.endpoints)
        discovery = MachineDiscovery(
            azure.environment,
            service: service,
            identity: ManagedIdentity(azure.environment, service: service),
            endpoints: azure.endpoints,
            store: MachineStore(load: { nil }, save: { _ in })
        )
    }

    private func signIn(_ who: String, _ changes: JSON? = nil) async throws -> DeviceAnswer {
        let flow = DeviceFlow(
            azure.environment,
            machines: discovery,
            clouds: clouds,
            clientID: try #require(GUID(clientID)),
            clockSkew: .seconds(60),
            signatures: LibcryptoSignatureVerifier()
        )
        if let changes { try await azure.fault("id-token", "signin", value: changes) }
        let grant = try await flow.begin(by: azure.deadline(60))
        #expect(try await grant.redeem(by: azure.deadline(60)) == .pending)
        try await azure.tell("approve", ["user_code": .string(grant.userCode), "who": .string(who)])
        let answer = try await grant.redeem(by: azure.deadline(60))
        if changes != nil { try await azure.tell("clear") }
        return answer
    }

    private func reason(_ answer: DeviceAnswer) -> String? {
        guard case .refused(let denial) = answer else { return nil }
        return "\(denial.reason.rawValue): \(denial.detail)"
    }

    @Test(
        "P4: a token that Entra's key signed proves its person; unsigned, by a secret, or by a stranger's key, nobody"
    )
    func signatures() async throws {
        guard case .proven(let identity, let name) = try await signIn("heidi") else {
            Issue.record("not proven")
            return
        }
        #expect(name == "Heidi@Contoso.com" && identity.objectID.description.hasSuffix("00000000004e"))
        let wrong = ["none": "algorithm", "hmac": "algorithm", "stranger": "key-unknown"]
        for (how, refusal) in wrong {
            let answer = try await signIn("bob", .object(["sign": .string(how)]))
            #expect(reason(answer) == "identity-token: ID token: \(refusal)")
        }
        let forged: JSON = .object(["claims": .object(["oid": .null])])
        #expect(reason(try await signIn("bob", forged)) == "identity-token: ID token: object-id")
        let elsewhere: JSON = .object(["claims": .object(["tid": .string("fab00000-0000-4000-8000-0000fab21ca0")])])
        #expect(reason(try await signIn("bob", elsewhere)) == "wrong-tenant: ID token: tenant")
    }

    @Test("P4: a stranger's signature under the name of Entra's key is no signature")
    func otherKey() async throws {
        // The kid of Entra's own key, as in the valid token, but another key's signature.
        let answer = try await signIn("bob", .object(["sign": .string("stranger-as-entra")]))
        #expect(reason(answer) == "identity-token: ID token: signature")
    }
}
