// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
internal import HTTPTransport
internal import Identity
internal import Synchronization

/// The role question answered from role assignments, deny assignments and role definitions (azure.md, "The role
/// check"): all of them generally available, so this works even where no *checkAccess* does. It needs Reader, too.
package final class RoleAssignmentAccessChecker: EndpointChecker {
    enum Limit {
        /// Pages of one list, and different roles of one user on this machine.
        static let pages = 8
        static let roles = 64
        /// Cached role definitions, and how long they are kept.
        static let kept = 256
        static let keptFor = Duration.seconds(600)
    }

    package let name = "arm-roleassignments"
    private let environment: AzureEnvironment
    private let service: RoleServiceClient
    private let clouds: CloudDirectory
    private let definitions = Mutex<[GUID: (RoleDefinition, until: BootTime)]>([:])

    package init(_ environment: AzureEnvironment, identity: ManagedIdentity, clouds: CloudDirectory) {
        self.environment = environment
        self.clouds = clouds
        service = RoleServiceClient(name: name, environment: environment, identity: identity) { question in
            readerRemedy(for: question.machine, identity: identity)
        }
    }

    package func ask(
        _ question: AccessQuestion,
        attemptTime: Duration
    ) async throws(EndpointFault) -> AccessAnswer {
        let call = try call(question, attemptTime: attemptTime)
        let filter = "assignedTo('\(question.objectID)')"
        let actions = LoginActions(for: question.machine.kind)
        let resource = question.machine.resource
        let held = try await list("roleAssignments", call, filter: filter) { body throws(MessageError) in
            try RoleAssignment.page(parsing: body)
        }
        let denials = try await list("denyAssignments", call, filter: filter) { body throws(MessageError) in
            try DenyAssignment.page(parsing: body)
        }
        let roles = Set(held.filter { $0.reaches(resource) }.map(\.role)).sorted()
        guard roles.count <= Limit.roles else { throw malformed("more than \(Limit.roles) roles") }
        var given: Set<String> = []
        for role in roles where given.count < 2 {
            let definition = try await definition(role, call)
            given.formUnion([actions.user, actions.administrator].filter(definition.gives))
        }
        given = given.filter { action in
            !denials.contains { $0.takes(action, on: resource, from: question.objectID) }
        }
        let role: Role? =
            given.contains(actions.user) ? (given.contains(actions.administrator) ? .administrator : .user) : nil
        return AccessAnswer(role: role, lifetime: nil, checker: name)
    }

    func call(_ question: AccessQuestion, attemptTime: Duration) throws(EndpointFault) -> Call {
        let cloud = clouds.known(of: question.machine)
        guard let host = cloud?.resourceManager, let audience = cloud?.resourceManagerAudience else {
            let detail = "no address is known in cloud \(quoted(question.machine.cloud))"
            throw .noRoute(AccessCheckFault(.unreachable, of: name, detail: detail))
        }
        return Call(question: question, host: host, audience: audience, attemptTime: attemptTime)
    }

    struct Call {
        let question: AccessQuestion
        let host: String
        let audience: String
        let attemptTime: Duration

        func url(_ operation: String, _ query: String = "") -> String {
            "\(host)\(question.machine.resource)/providers/Microsoft.Authorization/\(operation)"
                + "?api-version=2022-04-01\(query)"
        }
    }

    func list<Element: Sendable>(
        _ operation: String,
        _ call: Call,
        filter: String,
        _ read: ([UInt8]) throws(MessageError) -> ResourceManagerPage<Element>
    ) async throws(EndpointFault) -> [Element] {
        var url = call.url(operation, "&$filter=\(percentEncoded(filter))")
        var elements: [Element] = []
        for _ in 0..<Limit.pages {
            let body = try await get(url, call)
            do throws(MessageError) {
                let page = try read(body)
                elements += page.elements
                guard let next = page.next else { return elements }
                url = next
            } catch {
                throw .failing(AccessCheckFault(error, from: name))
            }
            // The machine's token goes to no other host.
            guard url.lowercased().hasPrefix("\(call.host.lowercased())/") else {
                throw malformed("a list goes on at another host")
            }
        }
        throw malformed("more than \(Limit.pages) pages")
    }

    func definition(_ role: GUID, _ call: Call) async throws(EndpointFault) -> RoleDefinition {
        let now = environment.time.bootTime()
        if let (kept, until) = definitions.withLock({ $0[role] }), now < until { return kept }
        let body: [UInt8]
        do throws(EndpointFault) {
            body = try await get(call.url("roleDefinitions/\(role)"), call)
        } catch {
            // The lists were served, so this endpoint does serve the question.
            guard case .notServed = error.kind else { throw error }
            throw EndpointFault(kind: .noAnswer, fault: error.fault)
        }
        let definition: RoleDefinition
        do throws(MessageError) {
            definition = try RoleDefinition(parsing: body)
        } catch {
            throw .failing(AccessCheckFault(error, from: name))
        }
        definitions.withLock { definitions in
            if definitions.count >= Limit.kept { definitions = [:] }
            definitions[role] = (definition, until: now.advanced(by: Limit.keptFor))
        }
        return definition
    }

    private func get(_ url: String, _ call: Call) async throws(EndpointFault) -> [UInt8] {
        let request = HTTPRequest(.get, url, timeout: call.attemptTime)
        return try await service.exchange(
            request,
            audience: call.audience,
            for: call.question,
            attemptTime: call.attemptTime
        )
    }

    func malformed(_ text: String) -> EndpointFault {
        .failing(AccessCheckFault(.malformedAnswer, of: name, detail: text))
    }
}
