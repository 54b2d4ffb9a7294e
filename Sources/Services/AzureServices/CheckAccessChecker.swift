// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
internal import HTTPTransport
internal import Identity

/// *checkAccess* on one host. PAS and ARM take the same question and give the same answer (azure.md, "The role check").
struct CheckAccessClient: Sendable {
    let service: RoleServiceClient

    func ask(
        _ question: AccessQuestion,
        host: String,
        audience: String,
        attemptTime: Duration
    ) async throws(EndpointFault) -> AccessAnswer {
        let asked = AccessCheckQuestion(objectID: question.objectID, machine: question.machine)
        let request = HTTPRequest(
            .post,
            host + asked.path,
            headers: [HTTPHeader("Content-Type", "application/json")],
            body: asked.body,
            timeout: attemptTime
        )
        let body = try await service.exchange(request, audience: audience, for: question, attemptTime: attemptTime)
        do throws(MessageError) {
            let actions = LoginActions(for: question.machine.kind)
            return AccessAnswer(try AccessCheckAnswer(parsing: body, actions: actions), checker: service.name)
        } catch {
            throw .failing(AccessCheckFault(error, from: service.name))
        }
    }
}

extension AccessAnswer {
    /// An administrator needs both actions; loginAsAdmin without login gives no role.
    init(_ answer: AccessCheckAnswer, checker: String) {
        let role: Role? =
            answer.mayLogin ? (answer.mayLoginAsAdministrator ? .administrator : .user) : nil
        self.init(
            role: role,
            lifetime: answer.lifetimeInMilliseconds.map { .milliseconds($0) },
            checker: checker,
            confirmation: role == .administrator || answer.isLoginRefused
                ? .notNeeded
                : answer.isAdministratorRefused
                    ? (role == .user ? .notNeeded : .required(upTo: .user)) : .required(upTo: .administrator)
        )
    }
}

/// The role service behind `pas.windows.net`. Microsoft's own software on the VM asks it, but its request format is not
/// public (azure.md, "The role check"), so after a refusal the next checker is asked.
package struct PASAccessChecker: EndpointChecker {
    package let name = "pas"
    private let client: CheckAccessClient
    private let clouds: CloudDirectory
    private let audience: String

    package init(
        _ environment: AzureEnvironment,
        identity: ManagedIdentity,
        clouds: CloudDirectory,
        endpoints: AzureEndpoints
    ) {
        self.clouds = clouds
        audience = endpoints.roleServiceAudience
        client = CheckAccessClient(
            service: RoleServiceClient(name: name, environment: environment, identity: identity) { _ in
                .useOtherChecker
            }
        )
    }

    package func ask(
        _ question: AccessQuestion,
        attemptTime: Duration
    ) async throws(EndpointFault) -> AccessAnswer {
        let host: String
        do throws(AccessCheckFault) {
            host = try await clouds.roleService(of: question.machine, by: question.deadline)
        } catch {
            throw .notReached(error)
        }
        return try await client.ask(question, host: host, audience: audience, attemptTime: attemptTime)
    }
}

/// *checkAccess* of Resource Manager. The machine's identity needs Reader, or `Microsoft.Authorization/*/read`, here.
package struct ARMAccessChecker: EndpointChecker {
    package let name = "arm"
    private let client: CheckAccessClient
    private let clouds: CloudDirectory

    package init(_ environment: AzureEnvironment, identity: ManagedIdentity, clouds: CloudDirectory) {
        self.clouds = clouds
        client = CheckAccessClient(
            service: RoleServiceClient(name: name, environment: environment, identity: identity) { question in
                readerRemedy(for: question.machine, identity: identity)
            }
        )
    }

    package func ask(
        _ question: AccessQuestion,
        attemptTime: Duration
    ) async throws(EndpointFault) -> AccessAnswer {
        let cloud = clouds.known(of: question.machine)
        guard let host = cloud?.resourceManager, let audience = cloud?.resourceManagerAudience else {
            let detail = "no address is known in cloud \(quoted(question.machine.cloud))"
            throw .notServed(AccessCheckFault(.unreachable, of: name, detail: detail))
        }
        return try await client.ask(question, host: host, audience: audience, attemptTime: attemptTime)
    }
}

/// The remedy that lets the machine's identity ask Resource Manager.
func readerRemedy(for machine: Machine, identity: ManagedIdentity) -> FaultRemedy {
    .giveReader(to: identity.claims?.objectID, at: machine.resource)
}
