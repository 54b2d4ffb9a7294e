// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
internal import HTTPTransport
package import Identity

/// Asks Microsoft Graph, as this machine, whether an account is enabled (azure.md, "Microsoft Graph").
package final class GraphDirectory: AccountChecker {
    /// Only two fields are asked for: a larger body is no valid answer.
    static let maximumBody = 1 << 14

    let environment: AzureEnvironment
    private let users: RoleServiceClient
    private let principals: RoleServiceClient
    /// For memberships, which need another permission.
    let members: RoleServiceClient
    private let isKnownUser: @Sendable (ObjectID) -> Bool
    private let clouds: CloudDirectory
    let records: CheckerRecords

    /// `isKnownUser`: true for a user who has signed in here, so for no service principal.
    package init(
        _ environment: AzureEnvironment,
        identity: ManagedIdentity,
        clouds: CloudDirectory,
        isKnownUser: @escaping @Sendable (ObjectID) -> Bool
    ) {
        self.environment = environment
        self.clouds = clouds
        self.isKnownUser = isKnownUser
        records = CheckerRecords(environment)
        func client(_ permission: GraphPermission) -> RoleServiceClient {
            RoleServiceClient(
                name: AccessCheckFault.graph,
                environment: environment,
                identity: identity,
                remedy: { question in
                    let host = clouds.known(of: question.machine)?.graphAudience ?? "https://graph.microsoft.com"
                    return .giveGraph(permission, to: identity.claims?.objectID, host: host)
                },
                service: .directory
            )
        }
        users = client(.readUsers)
        principals = client(.readApplications)
        members = client(.readMembers)
    }

    package func state(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccountState {
        // A host that could not be reached a moment ago is not waited for again; a missing permission may be granted
        // now.
        let passedOver = records.passedOver(AccessCheckFault.graph, at: environment.time.bootTime())
        if let fault = passedOver?.fault, fault.reason == .unreachable { throw fault }
        return try await state(question, ignoringSilence: false)
    }

    /// `ignoringSilence`: for an administrator's own question.
    package func state(_ question: AccessQuestion, ignoringSilence: Bool) async throws(AccessCheckFault) -> AccountState
    {
        try await rounds(question, ignoringSilence: ignoringSilence) {
            [self] (question, attemptTime) async throws(EndpointFault) in
            try await ask(question, attemptTime: attemptTime)
        }
    }

    /// Asks Graph one question, again where that can help.
    func rounds<Answer: Sendable>(
        _ question: AccessQuestion,
        ignoringSilence: Bool,
        _ ask: @escaping @Sendable (AccessQuestion, Duration) async throws(EndpointFault) -> Answer
    ) async throws(AccessCheckFault) -> Answer {
        let rounds = CheckerRounds(environment: environment, records: records, ignoresSilence: ignoringSilence)
        do throws(CheckerRounds.Failure) {
            return try await rounds.ask([EndpointCall(name: AccessCheckFault.graph, ask: ask)], question)
        } catch {
            let nobody = AccessCheckFault(.unreachable, of: AccessCheckFault.graph, detail: "was not asked")
            throw error.faults.first?.error.fault ?? nobody
        }
    }

    /// The address of Graph in the machine's cloud, and the audience of tokens for it.
    func place(of machine: Machine) throws(EndpointFault) -> (host: String, audience: String) {
        let cloud = clouds.known(of: machine)
        guard let host = cloud?.graph, let audience = cloud?.graphAudience else {
            let detail = "no address is known in cloud \(quoted(machine.cloud)): set GraphEndpoint="
            throw .noRoute(AccessCheckFault(.unreachable, of: AccessCheckFault.graph, detail: detail))
        }
        return (host, audience)
    }

    /// The state of Graph.
    package var status: AzureStatus.Checker { records.status(of: AccessCheckFault.graph) }

    /// One attempt. What is not a user may be a service principal, and is looked for there, too. Where the machine's
    /// identity may not do that, only a known user counts as absent: a missing permission says nothing about others.
    private func ask(_ question: AccessQuestion, attemptTime: Duration) async throws(EndpointFault) -> AccountState {
        let user = try await state("users", users, question, attemptTime)
        guard user == .absent else { return user }
        do throws(EndpointFault) {
            return try await state("servicePrincipals", principals, question, attemptTime)
        } catch {
            guard error.fault.reason == .directoryRefused, isKnownUser(question.objectID) else { throw error }
            return .absent
        }
    }

    private func state(
        _ kind: String,
        _ client: RoleServiceClient,
        _ question: AccessQuestion,
        _ attemptTime: Duration
    ) async throws(EndpointFault) -> AccountState {
        let (host, audience) = try place(of: question.machine)
        let url = "\(host)/v1.0/\(kind)/\(question.objectID)\(GraphAccount.selection)"
        let request = HTTPRequest(.get, url, timeout: attemptTime, maximumBody: GraphDirectory.maximumBody)
        let response = try await client.answer(request, audience: audience, for: question, attemptTime: attemptTime) {
            $0.status == 200 || $0.status == 404 && ServiceRefusal(parsing: $0.body).saysObjectIsMissing
        }
        guard response.status == 200 else { return .absent }
        do throws(MessageError) {
            return try GraphAccount(parsing: response.body, of: question.objectID).isEnabled ? .enabled : .disabled
        } catch {
            throw .failing(AccessCheckFault(error, from: AccessCheckFault.graph))
        }
    }
}
