// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@testable import AzureMessages

struct AccessCheckTests {
    private static let actions = LoginActions(for: .virtualMachine)

    private func element(
        _ action: String,
        _ decision: String,
        isDataAction: String = "true",
        lifetime: String = "300000"
    ) -> String {
        """
        {"actionId":"\(action)","isDataAction":\(isDataAction),"accessDecision":"\(decision)",\
        "roleAssignment":null,"denyAssignment":null,"timeToLiveInMs":\(lifetime)}
        """
    }

    private func answer(_ body: String) throws -> AccessCheckAnswer {
        try AccessCheckAnswer(parsing: Array(body.utf8), actions: Self.actions)
    }

    @Test("the question has exactly the form of the contract")
    func question() throws {
        let resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1"
        let machine = Machine(
            kind: .virtualMachine,
            resource: try #require(ResourceID(resource)),
            tenant: try #require(TenantID("11111111-1111-4111-8111-111111111111")),
            name: "vm1",
            cloud: "AzurePublicCloud"
        )
        let objectID = try #require(ObjectID("55555555-5555-4555-8555-555555555555"))
        let question = AccessCheckQuestion(objectID: objectID, machine: machine)
        let expected = """
            {"Actions":[{"Id":"Microsoft.Compute/virtualMachines/login/action","IsDataAction":true},\
            {"Id":"Microsoft.Compute/virtualMachines/loginAsAdmin/action","IsDataAction":true}],\
            "Resource":{"Id":"\(resource)"},\
            "Subject":{"Attributes":{"ObjectId":"55555555-5555-4555-8555-555555555555",\
            "_claim_names":"{\\"groups\\":\\"src1\\"}","xms-pasrp-retrievegroupmemberships":true}}}
            """
        #expect(String(decoding: question.body, as: UTF8.self) == expected)
        let path = "\(resource)/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview"
        #expect(question.path == path)
    }

    @Test("Arc servers have data actions of their own")
    func hybridActions() {
        #expect(LoginActions(for: .arcServer).user == "Microsoft.HybridCompute/machines/login/action")
        #expect(LoginActions(for: .arcServer).administrator == "Microsoft.HybridCompute/machines/loginAsAdmin/action")
        #expect(LoginActions(for: .scaleSetInstance) == Self.actions)
    }

    @Test("Allowed in any letter case is yes, in an array or an object with value")
    func allowed() throws {
        let elements = [
            element(Self.actions.user, "ALLOWED", lifetime: "5"),
            element(Self.actions.administrator.lowercased(), "allowed"),
        ].joined(separator: ",")
        for body in ["[\(elements)]", "{\"value\":[\(elements)]}"] {
            let answer = try answer(body)
            #expect(answer.mayLogin && answer.mayLoginAsAdministrator)
            #expect(answer.lifetimeInMilliseconds == 5)
        }
    }

    @Test(
        "P1: every other word is no",
        arguments: ["NotAllowed", "Denied", "", "Allow", " Allowed", "true", "Allowed\u{301}"]
    )
    func otherWords(word: String) throws {
        let answer = try answer("[\(element(Self.actions.user, word)),\(element(Self.actions.administrator, word))]")
        #expect(!answer.mayLogin && !answer.mayLoginAsAdministrator)
    }

    @Test("P1: a missing action is no; other people's actions and plain actions count for nothing")
    func missing() throws {
        let one = try answer("[\(element(Self.actions.user, "Allowed"))]")
        #expect(one.mayLogin && !one.mayLoginAsAdministrator)
        let other = try answer("[\(element(Self.actions.administrator, "Allowed")),\(element("*", "Allowed"))]")
        #expect(!other.mayLogin && other.mayLoginAsAdministrator)
        let plain = element(Self.actions.user, "Allowed", isDataAction: "false")
        #expect(!(try answer("[\(plain),\(element(Self.actions.administrator, "NotAllowed"))]")).mayLogin)
    }

    @Test("P1: an element without isDataAction speaks of the control plane, where Owner may do all: never read")
    func controlPlane() throws {
        let bare = [Self.actions.user, Self.actions.administrator].map { action in
            "{\"actionId\":\"\(action)\",\"accessDecision\":\"Allowed\"}"
        }
        #expect(throws: MessageError.self) { try answer("[\(bare.joined(separator: ","))]") }
        let one = try answer("[\(bare[0]),\(element(Self.actions.administrator, "Allowed"))]")
        #expect(!one.mayLogin && !one.isLoginRefused)
        // Next to the data action of the same name it does not count, nor as a second decision on that action.
        let both = try answer("[\(bare[0]),\(element(Self.actions.user, "NotAllowed"))]")
        #expect(!both.mayLogin)
    }

    @Test("a refusal with a stated reason is told from a plain NotAllowed")
    func stated() throws {
        for (word, isRefused) in [("NotAllowed", false), ("notallowed", false), ("Denied", true), ("", true)] {
            #expect(try answer("[\(element(Self.actions.user, word))]").isLoginRefused == isRefused)
        }
        let denied = element(Self.actions.user, "NotAllowed")
            .replacing("\"denyAssignment\":null", with: "\"denyAssignment\":{\"id\":\"x\"}")
        #expect(try answer("[\(denied)]").isLoginRefused)
        #expect(try !answer("[\(denied)]").isAdministratorRefused)
    }

    @Test(
        "a refusal is read in each of its forms, quoted and bounded",
        arguments: [
            ("{\"error\":{\"code\":\"A\",\"message\":\"b c\"}}", "\"A\" \"b c\""),
            ("{\"statusCode\":403,\"message\":\"Caller does not\"}", "\"Caller does not\""),
            ("{\"code\":\"A\",\"message\":\"b\"}", "\"A\" \"b\""), ("{\"error\":\"text\"}", "\"text\""),
            ("Not Found.", "\"Not Found.\""), ("<html>\r\n <b>", "\"<html> <b>\""), ("", ""), ("{}", ""), (" \n", ""),
            ("\"quoted\"", "\"quoted\""), ("\u{1b}[31m", "\"?[31m\""),
        ]
    )
    func refusals(body: String, text: String) {
        #expect(ServiceRefusal(parsing: Array(body.utf8)).text == text)
    }

    @Test("P12: a long refusal is cut, and bytes that are no text are question marks")
    func longRefusal() {
        let long = ServiceRefusal(parsing: [UInt8](repeating: 0x78, count: 100_000)).text
        #expect(long.utf8.count < 256)
        #expect(ServiceRefusal(parsing: [0xff, 0xfe, 0x00]).text.allSatisfy { $0 == "?" || $0 == "\"" })
    }

    @Test("P1: what is no answer to the question is a failure, neither yes nor no")
    func malformed() {
        let login = element(Self.actions.user, "Allowed")
        let bodies = [
            "", "{}", "[]", "null", "true", "\"Allowed\"", "{\"value\":{}}", "[\(login),\(login)]",
            "[\(login),\(element(Self.actions.user.uppercased(), "NotAllowed"))]", "[\(login)", "[\(login)]x",
            "[{\"actionId\":\"\(Self.actions.user)\",\"isDataAction\":true}]",
            "[{\"actionId\":\"\(Self.actions.user)\",\"isDataAction\":true,\"accessDecision\":true}]",
            "[{\"actionId\":\"\(Self.actions.user)\",\"isDataAction\":true,\"accessDecision\":\"NotAllowed\","
                + "\"accessDecision\":\"Allowed\"}]",
            "[\(element(Self.actions.user, "Allowed", lifetime: "-1"))]",
            "[\(element(Self.actions.user, "Allowed", lifetime: "\"5\""))]", "[\(element("*", "Allowed"))]",
            "[" + Array(repeating: element("*", "Allowed"), count: 65).joined(separator: ",") + "]",
        ]
        for body in bodies { #expect(throws: MessageError.self) { try answer(body) } }
    }

    @Test("P13: no prefix of an answer is an answer")
    func prefixes() {
        let body = Array("[\(element(Self.actions.user, "Allowed"))]".utf8)
        for length in 0..<body.count {
            #expect(throws: MessageError.self) {
                try AccessCheckAnswer(parsing: Array(body[..<length]), actions: Self.actions)
            }
        }
    }

    @Test("a lifetime may be absent or null")
    func lifetimes() throws {
        #expect(
            try answer("[\(element(Self.actions.user, "Allowed", lifetime: "null"))]").lifetimeInMilliseconds == nil
        )
    }

    @Test("a missing resource is told from a path that is not served")
    func refusals() {
        let missing = ServiceRefusal(
            parsing: Array("{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"gone\"}}".utf8)
        )
        #expect(missing.saysResourceIsMissing)
        #expect(missing.text == "\"ResourceNotFound\" \"gone\"")
        #expect(!ServiceRefusal(parsing: Array("{\"error\":{\"code\":\"NotFound\"}}".utf8)).saysResourceIsMissing)
        #expect(!ServiceRefusal(parsing: Array("<html>".utf8)).saysResourceIsMissing)
    }
}
