// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Testing

struct RoleAssignmentAccessCheckerTests {
    private static let user = "fb879df8-f326-4884-b1cf-06f3ad86be52"
    private static let administrator = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
    private static let prefix = "\(Fixture.arm)\(Fixture.resource)/providers/Microsoft.Authorization"

    private func fixture(_ roles: [String], denied: String = "", condition: String = "null") -> Fixture {
        let fixture = Fixture(["arm-roleassignments"])
        let assignments = roles.map { role in
            """
            {"properties":{"scope":"\(Fixture.resource)","condition":\(condition),\
            "roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/\(role)"}}
            """
        }
        fixture.transport.script(
            "\(Self.prefix)/roleAssignments",
            .answer(200, "{\"value\":[\(assignments.joined(separator: ","))]}")
        )
        fixture.transport.script("\(Self.prefix)/denyAssignments", .answer(200, "{\"value\":[\(denied)]}"))
        for (role, actions) in [
            (Self.user, "\"Microsoft.Compute/virtualMachines/login/action\""),
            (Self.administrator, "\"Microsoft.Compute/virtualMachines/*/action\""),
        ] {
            fixture.transport.script(
                "\(Self.prefix)/roleDefinitions/\(role)",
                .answer(200, "{\"properties\":{\"permissions\":[{\"dataActions\":[\(actions)]}]}}")
            )
        }
        return fixture
    }

    @Test("roles follow from assignments and definitions")
    func roles() async throws {
        for (roles, role) in [
            ([Self.user], Role.user), ([Self.administrator], .administrator),
            ([Self.user, Self.administrator], .administrator),
            ([], nil),
        ] as [([String], Role?)] {
            let fixture = fixture(roles)
            let answer = try await fixture.checker.check(fixture.question())
            #expect(answer == AccessAnswer(role: role, lifetime: nil, checker: "arm-roleassignments"))
        }
    }

    @Test("the lists are asked for with the filter of the contract, definitions once")
    func requests() async throws {
        let fixture = fixture([Self.user])
        for _ in 0..<2 { _ = try await fixture.checker.check(fixture.question()) }
        let list = try #require(fixture.transport.requests(to: "\(Self.prefix)/roleAssignments").first)
        #expect(
            list.url == "\(Self.prefix)/roleAssignments?api-version=2022-04-01&$filter=assignedTo"
                + "%28%2755555555-5555-4555-8555-555555555555%27%29"
        )
        #expect(fixture.transport.requests(to: "\(Self.prefix)/roleDefinitions").count == 1)
    }

    @Test("everybody with a login role is listed from one filter: groups as groups, what gives no sign-in left out")
    func holders() async throws {
        let fixture = fixture([])
        let entries = [
            ("aaaaaaaa-0000-4000-8000-000000000001", "User", Self.user, "null"),
            ("aaaaaaaa-0000-4000-8000-000000000001", "User", Self.administrator, "null"),
            ("aaaaaaaa-0000-4000-8000-000000000002", "Group", Self.user, "null"),
            ("aaaaaaaa-0000-4000-8000-000000000003", "User", Self.user, "\"@x\""),
        ].map { principal, kind, role, condition in
            """
            {"properties":{"scope":"\(Fixture.resource)","condition":\(condition),"principalId":"\(principal)",\
            "principalType":"\(kind)",\
            "roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/\(role)"}}
            """
        }
        fixture.transport.script(
            "\(Self.prefix)/roleAssignments",
            .answer(200, "{\"value\":[\(entries.joined(separator: ","))]}")
        )
        let question = try fixture.question()
        let checker = RoleAssignmentAccessChecker(
            fixture.environment,
            identity: fixture.identity,
            clouds: fixture.clouds
        )
        let found = try await checker.holders(
            of: question.machine,
            correlation: question.correlation,
            deadline: question.deadline
        )
        #expect(found.holders.map(\.role) == [.administrator, .user] && found.conditional == 1)
        #expect(found.holders.map(\.kind) == ["User", "Group"])
        let list = try #require(fixture.transport.requests(to: "\(Self.prefix)/roleAssignments").first)
        #expect(list.url.hasSuffix("$filter=atScope%28%29"))
    }

    @Test("P1: a conditional assignment gives nothing, a deny assignment takes")
    func taken() async throws {
        let conditional = fixture([Self.administrator], condition: "\"@x\"")
        #expect(try await conditional.checker.check(conditional.question()).role == nil)
        let denied = fixture(
            [Self.administrator],
            denied: "{\"properties\":{\"permissions\":[{\"dataActions\":[\"*/loginAsAdmin/action\"]}],\"scope\":\"/\"}}"
        )
        #expect(try await denied.checker.check(denied.question()).role == .user)
    }

    @Test("P1: deny assignments or a definition that cannot be read leave no answer")
    func undecided() async throws {
        let noDenials = fixture([Self.administrator])
        noDenials.transport.script("\(Self.prefix)/denyAssignments", .answer(500))
        #expect(try await noDenials.fault().reason == .unreachable)
        let noDefinition = fixture([Self.administrator])
        noDefinition.transport.script("\(Self.prefix)/roleDefinitions", .answer(404))
        noDefinition.transport.script("\(Self.prefix)/roleDefinitions/\(Self.administrator)", .answer(404))
        _ = try await noDefinition.fault()
    }

    @Test("a list goes on at its own host only, and not for ever")
    func pages() async throws {
        let next = fixture([Self.user])
        next.transport.script(
            "\(Self.prefix)/roleAssignments",
            .answer(200, "{\"value\":[],\"nextLink\":\"https://management.azure.com.evil.example/x\"}")
        )
        #expect(try await next.fault().reason == .malformedAnswer)
        #expect(next.transport.requests(to: "https://management.azure.com.evil").isEmpty)
        let endless = fixture([Self.user])
        endless.transport.script(
            "\(Self.prefix)/roleAssignments",
            .answer(200, "{\"value\":[],\"nextLink\":\"\(Self.prefix)/roleAssignments?page=2\"}")
        )
        #expect(try await endless.fault().reason == .malformedAnswer)
    }
}
