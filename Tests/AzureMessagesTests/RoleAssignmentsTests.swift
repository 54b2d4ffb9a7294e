// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@testable import AzureMessages

struct RoleAssignmentsTests {
    private static let group = "/subscriptions/s/resourceGroups/g"
    private static let login = LoginActions(for: .virtualMachine).user
    private let resource = ResourceID("\(group)/providers/Microsoft.Compute/virtualMachines/vm1")

    @Test(
        "a pattern covers by wildcard, in any letter case, whole actions only",
        arguments: [
            ("*", true), ("Microsoft.Compute/virtualMachines/login/action", true),
            ("microsoft.compute/VIRTUALMACHINES/*", true), ("*/login/action", true),
            ("Microsoft.Compute/*/action", true),
            ("*/login/*", true), ("Microsoft.*/virtual*/login/action*", true), ("", false),
            ("Microsoft.Compute/virtualMachines/login", false), ("*/loginAsAdmin/action", false), ("*/read", false),
            ("Microsoft.Compute/virtualMachines/login/action/x", false), ("*action*action", false),
            ("Microsoft.HybridCompute/*", false),
        ]
    )
    func patterns(pattern: String, covers: Bool) {
        #expect(ActionPattern(pattern).covers(Self.login) == covers)
    }

    @Test("a role gives its data actions without the excepted ones; actions of the other kind give nothing")
    func definitions() throws {
        func role(_ permissions: String) throws -> RoleDefinition {
            try RoleDefinition(parsing: Array("{\"properties\":{\"permissions\":[\(permissions)]}}".utf8))
        }
        #expect(try role("{\"dataActions\":[\"*\"]}").gives(Self.login))
        #expect(try !role("{\"dataActions\":[\"*\"],\"notDataActions\":[\"*/login/action\"]}").gives(Self.login))
        #expect(try !role("{\"actions\":[\"*\"],\"dataActions\":[]}").gives(Self.login))
        // One permission may grant what another one excludes.
        #expect(
            try role(
                "{\"dataActions\":[\"*\"],\"notDataActions\":[\"*\"]},{\"dataActions\":[\"*/login/action\"]}"
            ).gives(Self.login)
        )
        #expect(throws: MessageError.self) { try role("{\"dataActions\":[\"*\"],\"notDataActions\":[1]}") }
        #expect(throws: MessageError.self) { try role("{\"dataActions\":\"*\"}") }
        #expect(throws: MessageError.self) { try RoleDefinition(parsing: Array("{}".utf8)) }
    }

    @Test("an assignment reaches what lies at or below its scope, and nothing where it has a condition")
    func scopes() throws {
        let resource = try #require(resource)
        func reaches(_ scope: String, condition: String = "null") throws -> Bool {
            let text = """
                {"value":[{"properties":{"scope":"\(scope)","condition":\(condition),\
                "roleDefinitionId":"/x/roleDefinitions/fb879df8-f326-4884-b1cf-06f3ad86be52"}}]}
                """
            let page = try RoleAssignment.page(parsing: Array(text.utf8))
            #expect(page.next == nil)
            return try #require(page.elements.first).reaches(resource)
        }
        for scope in [
            "/", "/providers/Microsoft.Management/managementGroups/root", "/subscriptions/S", Self.group,
            Self.group.uppercased(), "\(Self.group)/", resource.path,
        ] {
            #expect(try reaches(scope))
            #expect(try !reaches(scope, condition: "\"@Resource\""))
        }
        for scope in ["/subscriptions/s2", "\(Self.group)2", "\(resource.path)/extensions/e", "/sub"] {
            #expect(try !reaches(scope))
        }
        #expect(try reaches("/", condition: "\"\""))
    }

    @Test("a deny assignment takes from everybody it names but those it exempts")
    func denials() throws {
        let resource = try #require(resource)
        let person = try #require(ObjectID("55555555-5555-4555-8555-555555555555"))
        func takes(_ more: String = "") throws -> Bool {
            let text = """
                {"value":[{"properties":{"permissions":[{"dataActions":["*"]}],\
                "scope":"\(Self.group)","condition":"x"\(more)}}]}
                """
            let page = try DenyAssignment.page(parsing: Array(text.utf8))
            return try #require(page.elements.first).takes(Self.login, on: resource, from: person)
        }
        #expect(try takes())
        #expect(try !takes(",\"excludePrincipals\":[{\"id\":\"\(person)\"}]"))
        #expect(try !takes(",\"doNotApplyToChildScopes\":true"))
    }

    @Test("a list that is none, or an entry that cannot be read, is a failure")
    func malformed() {
        for text in ["{}", "[]", "{\"value\":[{}]}", "{\"value\":[{\"properties\":{\"scope\":\"/\"}}]}", "x"] {
            #expect(throws: MessageError.self) { try RoleAssignment.page(parsing: Array(text.utf8)) }
            #expect(throws: MessageError.self) { try DenyAssignment.page(parsing: Array(text.utf8)) }
        }
    }
}
