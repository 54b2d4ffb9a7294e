// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import ByteCoding
import HTTPTransport
import Identity
import Testing

/// The whole path against the simulator, with nothing faked in the daemon's code: IMDS, token, role question, keys.
@Suite(.serialized, .enabled(if: SimulatedAzure.isAvailable), .timeLimit(.minutes(15)))
struct SimulatorTests {
    private let azure: SimulatedAzure
    private let identity: ManagedIdentity
    private let clouds: CloudDirectory
    private let discovery: MachineDiscovery
    private let service: InstanceMetadataClient

    init() throws {
        azure = try SimulatedAzure()
        service = InstanceMetadataClient(azure.environment, endpoints: azure.endpoints)
        identity = ManagedIdentity(azure.environment, service: service)
        clouds = CloudDirectory(azure.environment, endpoints: azure.endpoints)
        discovery = MachineDiscovery(
            azure.environment,
            service: service,
            identity: identity,
            endpoints: azure.endpoints,
            store: MachineStore(load: { nil }, save: { _ in })
        )
    }

    private func checker(_ order: [String] = ["pas", "arm"], confirming: Bool = true) -> OrderedAccessChecker {
        let all: [any EndpointChecker] = [
            PASAccessChecker(azure.environment, identity: identity, clouds: clouds, endpoints: azure.endpoints),
            ARMAccessChecker(azure.environment, identity: identity, clouds: clouds),
            RoleAssignmentAccessChecker(azure.environment, identity: identity, clouds: clouds),
        ]
        let chosen = order.compactMap { name in all.first { $0.name == name } }
        return OrderedAccessChecker(
            chosen,
            confirmedBy: confirming ? all[2] : nil,
            environment: azure.environment
        )
    }

    private func question(_ number: Int, seconds: Int = 60) async throws -> AccessQuestion {
        let digits = String(number, radix: 16)
        let padded = String(repeating: "0", count: 12 - digits.count) + digits
        return AccessQuestion(
            objectID: try #require(ObjectID("0b1ec700-0000-4000-8000-\(padded)")),
            machine: try await discovery.machine(by: azure.deadline(60)),
            correlation: CorrelationID(try #require(GUID("66666666-6666-4666-8666-666666666666"))),
            deadline: azure.deadline(seconds)
        )
    }

    private func reason(_ checker: OrderedAccessChecker, seconds: Int = 60) async throws -> DenialReason? {
        let question = try await question(0xA1, seconds: seconds)
        do throws(AccessCheckFault) {
            _ = try await checker.check(question)
            return nil
        } catch {
            return error.reason
        }
    }

    private static let people: [(number: Int, role: Role?)] = [
        (0xA1, .administrator), (0xB0, .user), (0xC0, nil), (0x0A, nil), (0x1A, nil), (0x5C, .user), (0x31, .user),
    ]

    private func confirmed(_ checker: OrderedAccessChecker, _ number: Int) async throws -> AccessAnswer {
        let question = try await question(number)
        return await checker.confirm(try await checker.check(question), to: question)
    }

    private func honour(_ hints: [String]) async throws {
        try await azure.tell("groups", ["hints": .array(hints.map(JSON.string))])
    }

    @Test("P1: every checker gives each person the same role, whichever hints at groups Azure honours")
    func roles() async throws {
        for hints in [[], ["retrieve"], ["claims"], ["retrieve", "claims"]] {
            try await honour(hints)
            for name in ["pas", "arm", "arm-roleassignments"] {
                let checker = checker([name])
                for (number, role) in Self.people {
                    let answer = try await confirmed(checker, number)
                    #expect(answer.role == role, "\(hints) \(name) \(number)")
                    #expect(answer.checker == name && answer.confirmation.isFinal)
                }
            }
        }
    }

    @Test("P2: where a hint is honoured, an administrator needs no confirmation; a no of PAS does, and is final")
    func finalNo() async throws {
        try await honour(["claims"])
        let checker = checker()
        #expect(try await confirmed(checker, 0xA1).role == .administrator)
        #expect(try await azure.count("arm") == 0)
        let answer = try await confirmed(checker, 0xC0)
        #expect(answer.role == nil && answer.confirmation == .agreed)
        let lists = try await azure.count("arm")
        #expect(lists == 2)
    }

    @Test("P2: with ConfirmRefusals=no a no of PAS is final, and ARM is not asked")
    func unconfirmedNo() async throws {
        let checker = checker(confirming: false)
        for number in [0xA1, 0xC0] { #expect(try await confirmed(checker, number).role == nil) }
        #expect(try await azure.count("arm") == 0)
    }

    @Test("P2: Graph says which accounts are disabled or deleted, to who may ask, and nobody else's answer is taken")
    func accounts() async throws {
        let bob = try await question(0xB0).objectID
        let directory = GraphDirectory(azure.environment, identity: identity, clouds: clouds) { $0 == bob }
        func state(_ number: Int) async throws -> AccountState? {
            let question = try await question(number)
            do throws(AccessCheckFault) { return try await directory.state(question, ignoringSilence: true) } catch {
                return nil
            }
        }
        #expect(try await state(0xB0) == nil)
        #expect(try await azure.count("graph") == 1)
        try await azure.tell("graph", ["permissions": .array([.string("User.Read.All")])])
        #expect(try await state(0xB0) == .enabled)
        try await azure.tell("disable", ["who": .string("bob"), "seen_by_pas": .boolean(false)])
        #expect(try await state(0xB0) == .disabled)
        try await azure.tell("delete", ["who": .string("bob")])
        #expect(try await state(0xB0) == .absent)
        // A service principal can be seen only with another permission: without that, there is no answer.
        #expect(try await state(0x5C) == nil)
        try await azure.tell(
            "graph",
            ["permissions": .array([.string("User.Read.All"), .string("Application.Read.All")])]
        )
        #expect(try await state(0x5C) == .enabled)
        for fault in ["other-object", "redirect", "huge-body", "wrong-json", "cut-body"] {
            try await azure.fault(fault, "graph")
            #expect(try await state(0xA1) == nil, "\(fault)")
            try await azure.tell("clear")
        }
        #expect(try await state(0xA1) == .enabled)
    }

    @Test("what confirming gives away: PAS refuses a disabled user without a stated reason, and an assignment remains")
    func disabled() async throws {
        let bob = 0xB0
        try await azure.tell("disable", ["who": .string("bob")])
        #expect(try await confirmed(checker(confirming: false), bob).role == nil)
        #expect(try await confirmed(checker(), bob).role == .user)
        try await azure.tell("withdraw", ["who": .string("bob")])
        #expect(try await confirmed(checker(), bob).role == nil)
    }

    @Test("the smaller built-in role is enough to confirm; without either the no is final, and says what is missing")
    func rights() async throws {
        try await azure.tell("withdraw", ["who": .string("machine")])
        let refused = try await confirmed(checker(), 0xA1)
        #expect(refused.role == nil && refused.confirmation.obstacle?.reason == .identityMayNotAsk)
        #expect(refused.confirmation.obstacle?.detail.contains("roleAssignments/read") == true)
        let role = "Connected Cluster Managed Identity CheckAccess Reader"
        try await azure.tell("assign", ["who": .string("machine"), "role": .string(role)])
        #expect(try await confirmed(checker(), 0xA1).role == .administrator)
        #expect(try await confirmed(checker(["arm"]), 0xA1).role == .administrator)
    }

    @Test("a refusal in another form is quoted, and leads on", arguments: [nil, "Not Found.\nGo away", "<html>\u{7}"])
    func otherRefusals(body: String?) async throws {
        try await azure.fault("refusal", "pas", value: body.map(JSON.string) ?? .null)
        try await azure.fault("refusal", "arm", value: body.map(JSON.string) ?? .null)
        let question = try await question(0xB0)
        do throws(AccessCheckFault) {
            _ = try await checker().check(question)
            Issue.record("there was an answer")
        } catch {
            #expect(error.reason == .identityMayNotAsk)
            let words = ["\"Caller does not have RBAC permission", "\"Not Found. Go away\"", "\"<html>?\""]
            #expect(words.contains { error.detail.contains($0) }, "\(error.detail)")
        }
    }

    @Test("P1: no fault of PAS lets anybody in, and those that say it does not serve lead on to ARM")
    func faults() async throws {
        for (fault, value) in [
            // First, because it affects only new connections.
            ("wrong-tls", JSON.null), ("status", .number("404")), ("status", .number("405")),
            ("refused-identity", .null),
            ("redirect", .null),
        ] as [(String, JSON)] {
            try await azure.fault(fault, "pas", value: value)
            let answer = try await checker().check(try await question(0xB0))
            #expect(answer.role == .user && answer.checker == "arm", "\(fault)")
            #expect(try await checker().check(try await question(0xC0)).role == nil, "\(fault)")
            try await azure.tell("clear")
        }
        // Faults that are retried until the deadline get little time. PAS alone gives no answer; ARM gives one.
        for (fault, seconds, expected) in [
            ("wrong-json", 60, DenialReason.malformedAnswer), ("huge-body", 60, .malformedAnswer),
            ("cut-body", 3, .unreachable), ("server-error", 3, .unreachable), ("twice-action", 60, .malformedAnswer),
        ] {
            try await azure.fault(fault, "pas")
            #expect(try await reason(checker(["pas"]), seconds: seconds) == expected, "\(fault)")
            #expect(try await checker().check(try await question(0xB0)).checker == "arm", "\(fault)")
            try await azure.tell("clear")
        }
        try await azure.fault("silent", "pas")
        #expect(try await checker().check(try await question(0xB0, seconds: 12)).checker == "arm")
        try await azure.tell("clear")
        try await azure.fault("throttle", "pas", value: .number("30"))
        // The deadline ends before the 30 s of Retry-After, so that the checker does not wait for them.
        #expect(try await reason(checker(["pas"]), seconds: 20) == .throttled)
        #expect(try await checker().check(try await question(0xB0)).checker == "arm")
    }

    @Test("what is missing at our own identity is named")
    func identityFaults() async throws {
        _ = try await discovery.machine(by: azure.deadline(60))
        try await azure.fault("no-identity", "token")
        #expect(try await reason(checker()) == .noManagedIdentity)
        try await azure.tell("clear")
        try await azure.fault("missing-application", "token")
        #expect(try await reason(checker(["pas"])) == .applicationMissing)
        #expect(try await checker().check(try await question(0xB0)).checker == "arm")
        try await azure.tell("clear")
        try await azure.fault("refused-identity", "pas")
        try await azure.tell("withdraw", ["who": .string("machine")])
        #expect(try await reason(checker()) == .identityMayNotAsk)
    }

    @Test("the machine and its tenant are found")
    func machine() async throws {
        let machine = try await discovery.machine(by: azure.deadline(60))
        #expect(machine.kind == .virtualMachine)
        #expect(machine.tenant == TenantID("c0ffee00-0000-4000-8000-0000c0470500"))
        #expect(
            machine.resource.path.hasSuffix(
                "/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/contoso-vm"
            )
        )
        try await clouds.learn(about: machine, by: azure.deadline(60))
        #expect(clouds.remark == nil)
    }

    @Test("both key sources give the same keys")
    func keys() async throws {
        let published = SigningKeySource(.tenant, azure.environment, machines: discovery, clouds: clouds)
        let first = try await published.fetch(by: azure.deadline(60))
        #expect(!first.keys.isEmpty)
        let handedOut = try await MetadataKeySource(service: service).fetch(by: azure.deadline(60))
        #expect(Set(handedOut.keys) == Set(first.keys))
        try await azure.tell("keys", ["action": .string("rotate")])
        #expect(try await published.fetch(by: azure.deadline(60)).keys.count == first.keys.count + 1)
    }

    @Test("an Arc server finds out what it is and asks with a token of its own")
    func arc() async throws {
        let service = HybridMetadataClient(
            azure.environment,
            endpoints: azure.endpoints,
            keyOwners: [0],
            keyFolder: "\(azure.state)/arc-tokens",
            listeners: { _ in [0] }
        )
        let identity = ManagedIdentity(azure.environment, service: service)
        let discovery = MachineDiscovery(
            azure.environment,
            service: service,
            identity: identity,
            endpoints: azure.endpoints,
            store: MachineStore(load: { nil }, save: { _ in })
        )
        let machine = try await discovery.machine(by: azure.deadline(60))
        #expect(machine.kind == .arcServer)
        #expect(machine.tenant == TenantID("c0ffee00-0000-4000-8000-0000c0470500"))
        try await honour(["retrieve"])
        let checker = OrderedAccessChecker(
            [PASAccessChecker(azure.environment, identity: identity, clouds: clouds, endpoints: azure.endpoints)],
            environment: azure.environment
        )
        let question = AccessQuestion(
            objectID: try #require(ObjectID("0b1ec700-0000-4000-8000-0000000000a1")),
            machine: machine,
            correlation: CorrelationID(try #require(GUID("66666666-6666-4666-8666-666666666666"))),
            deadline: azure.deadline(60)
        )
        #expect(try await checker.check(question).role == .administrator)
    }
}
