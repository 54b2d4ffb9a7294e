// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import ByteCoding
import HTTPTransport
import Identity
import Testing

/// A virtual machine in the public cloud with everything in order, until a test says otherwise.
struct Fixture {
    static let resource =
        "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/vm1"
    static let tenant = "11111111-1111-4111-8111-111111111111"
    static let identity = "44444444-4444-4444-8444-444444444444"
    static let imds = "http://169.254.169.254/metadata"
    static let compute = "\(imds)/instance/compute"
    static let info = "\(imds)/identity/info"
    static let token = "\(imds)/identity/oauth2/token"
    static let pas = "https://pas.windows.net"
    static let arm = "https://management.azure.com"
    static let keys = "https://login.microsoftonline.com/common/discovery/keys"
    static let tenantKeys = "https://login.microsoftonline.com/\(tenant)/discovery/v2.0/keys"

    let transport: ScriptedTransport
    let clock = VirtualClock()
    let environment: AzureEnvironment
    let endpoints: AzureEndpoints
    let service: InstanceMetadataClient
    let identity: ManagedIdentity
    let clouds: CloudDirectory
    let checker: OrderedAccessChecker

    init(
        _ order: [String] = ["pas", "arm"],
        confirming: Bool = false,
        endpoints: AzureEndpoints = AzureEndpoints()
    ) {
        transport = ScriptedTransport(time: clock)
        environment = AzureEnvironment(
            transport: transport,
            time: clock,
            random: ConstantBytes(),
            tasks: TaskStarterOfTests(),
            proxy: .environment
        )
        self.endpoints = endpoints
        service = InstanceMetadataClient(environment, endpoints: endpoints)
        identity = ManagedIdentity(environment, service: service)
        clouds = CloudDirectory(environment, endpoints: endpoints)
        var checkers: [any EndpointChecker] = []
        for name in order {
            switch name {
            case "pas":
                checkers.append(
                    PASAccessChecker(environment, identity: identity, clouds: clouds, endpoints: endpoints)
                )
            case "arm": checkers.append(ARMAccessChecker(environment, identity: identity, clouds: clouds))
            default: checkers.append(RoleAssignmentAccessChecker(environment, identity: identity, clouds: clouds))
            }
        }
        let confirmer =
            confirming
            ? RoleAssignmentAccessChecker(environment, identity: identity, clouds: clouds) : nil
        checker = OrderedAccessChecker(checkers, confirmedBy: confirmer, environment: environment)
        transport.script(Fixture.compute, .answer(200, Fixture.instance()))
        transport.script(Fixture.info, .answer(200, "{\"tenantId\":\"\(Fixture.tenant)\"}"))
        transport.script(Fixture.token, Fixture.tokenAnswer())
    }

    static func instance(_ resource: String = Fixture.resource, cloud: String = "AzurePublicCloud") -> String {
        "{\"azEnvironment\":\"\(cloud)\",\"name\":\"vm1\",\"resourceId\":\"\(resource)\"}"
    }

    static func tokenText(_ mark: String = "1") -> String {
        let payload = "{\"oid\":\"\(identity)\",\"tid\":\"\(tenant)\"}"
        return "e30.\(Base64.encode(payload.utf8, .url)).\(mark)"
    }

    static func tokenAnswer(_ mark: String = "1", lifetime: Int = 86_400) -> ScriptedTransport.Answer {
        .answer(
            200,
            """
            {"access_token":"\(tokenText(mark))","expires_in":"\(lifetime)","token_type":"Bearer","resource":"x"}
            """
        )
    }

    /// `denied`: the action that a deny assignment denies.
    static func decisions(
        _ user: String,
        _ administrator: String,
        kind: String = "Microsoft.Compute/virtualMachines",
        denied: String = ""
    ) -> ScriptedTransport.Answer {
        let elements = [("login", user), ("loginAsAdmin", administrator)].map { action, word in
            """
            {"actionId":"\(kind)/\(action)/action","isDataAction":true,"accessDecision":"\(word)",\
            "denyAssignment":\(denied == action ? "{\"id\":\"x\"}" : "null"),"timeToLiveInMs":300000}
            """
        }
        return .answer(200, "[\(elements.joined(separator: ","))]")
    }

    static let assignments = "\(arm)\(resource)/providers/Microsoft.Authorization"
    static let roles = [
        Role.user: "fb879df8-f326-4884-b1cf-06f3ad86be52", .administrator: "1c0163c0-47e6-4577-8991-ea5c82e286e4",
    ]

    /// Makes role assignments say that the user holds `role`, directly or through a group.
    func assign(_ role: Role?) {
        let held = role.flatMap { Fixture.roles[$0] }.map { id in
            "{\"properties\":{\"scope\":\"\(Fixture.resource)\",\"roleDefinitionId\":\"/x/roleDefinitions/\(id)\"}}"
        }
        transport.script("\(Fixture.assignments)/roleAssignments", .answer(200, "{\"value\":[\(held ?? "")]}"))
        transport.script("\(Fixture.assignments)/denyAssignments", .answer(200, "{\"value\":[]}"))
        for (role, actions) in [(Role.user, "login"), (.administrator, "*")] {
            let given = "\"Microsoft.Compute/virtualMachines/\(actions)/action\""
            transport.script(
                "\(Fixture.assignments)/roleDefinitions/\(Fixture.roles[role] ?? "")",
                .answer(200, "{\"properties\":{\"permissions\":[{\"dataActions\":[\(given)]}]}}")
            )
        }
    }

    /// The answer to a question, confirmed if it has to be.
    func confirmed(seconds: Int = 10) async throws -> AccessAnswer {
        let question = try question(seconds: seconds)
        return await checker.confirm(try await checker.check(question), to: question)
    }

    static func refusal(_ status: Int, _ code: String) -> ScriptedTransport.Answer {
        .answer(status, "{\"error\":{\"code\":\"\(code)\",\"message\":\"words\"}}")
    }

    func machine(_ resource: String = Fixture.resource, cloud: String = "AzurePublicCloud") throws -> Machine {
        Machine(
            kind: .virtualMachine,
            resource: try #require(ResourceID(resource)),
            tenant: try #require(TenantID(Fixture.tenant)),
            name: "vm1",
            cloud: cloud
        )
    }

    func question(seconds: Int = 10, cloud: String = "AzurePublicCloud") throws -> AccessQuestion {
        AccessQuestion(
            objectID: try #require(ObjectID("55555555-5555-4555-8555-555555555555")),
            machine: try machine(cloud: cloud),
            correlation: CorrelationID(try #require(GUID("66666666-6666-4666-8666-666666666666"))),
            deadline: clock.bootTime().advanced(by: .seconds(seconds))
        )
    }

    /// The fault of a question that must fail.
    func fault(seconds: Int = 10) async throws -> AccessCheckFault {
        let question = try question(seconds: seconds)
        do throws(AccessCheckFault) {
            let answer = try await checker.check(question)
            Issue.record("there was an answer: \(answer)")
            throw AccessCheckFault(.unsupported, detail: "")
        } catch {
            return error
        }
    }
}
