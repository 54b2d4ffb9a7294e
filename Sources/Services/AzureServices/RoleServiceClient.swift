// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import AzureMessages
internal import HTTPTransport
internal import Identity

/// Requests with the machine's token, for the checkers and Microsoft Graph; gives each kind of failure one meaning
/// (azure.md, "The role check"). It repeats only a 401: another endpoint is asked before this one is asked again.
struct RoleServiceClient: Sendable {
    /// A timeout shorter than this says nothing about the host.
    private static let fairTime = Duration.seconds(2)
    /// RFC 9110, 15: Not Found, Method Not Allowed, Gone, Not Implemented.
    private static let unserved: Set<Int> = [404, 405, 410, 501]

    let name: String
    let environment: AzureEnvironment
    let identity: ManagedIdentity
    /// What fixes a 401 or 403 for the machine's own identity.
    let remedy: @Sendable (AccessQuestion) -> FaultRemedy
    /// The service whose status table applies.
    var service = StatusTable.Service.roleService

    /// The body of a 200.
    func exchange(
        _ request: HTTPRequest,
        audience: String,
        for question: AccessQuestion,
        attemptTime: Duration
    ) async throws(EndpointFault) -> [UInt8] {
        try await answer(request, audience: audience, for: question, attemptTime: attemptTime) { $0.status == 200 }.body
    }

    /// The response, if `isAnswer`; any other is thrown as a fault.
    func answer(
        _ request: HTTPRequest,
        audience: String,
        for question: AccessQuestion,
        attemptTime: Duration,
        where isAnswer: @Sendable (HTTPResponse) -> Bool
    ) async throws(EndpointFault) -> HTTPResponse {
        var response = try await attempt(request, audience, question, attemptTime)
        if response.status == 401 {
            // The token may have lost its validity early; `attempt` has discarded it. Retry once with a new one.
            response = try await attempt(request, audience, question, attemptTime)
        }
        guard isAnswer(response) else { throw fault(response, question) }
        return response
    }

    private func attempt(
        _ request: HTTPRequest,
        _ audience: String,
        _ question: AccessQuestion,
        _ attemptTime: Duration
    ) async throws(EndpointFault) -> HTTPResponse {
        let token: AccessToken
        do throws(AccessCheckFault) {
            token = try await identity.token(for: audience, by: question.deadline)
        } catch {
            if service == .directory, error.reason == .applicationMissing {
                throw .notServed(AccessCheckFault(.directoryRefused, of: name, detail: error.particulars))
            }
            // Another audience may work; any other fault of the token applies to every endpoint.
            throw error.reason == .applicationMissing
                ? EndpointFault.notServed(error) : EndpointFault(kind: .everywhere, fault: error)
        }
        var request = request
        request.authorization = Secret("Bearer \(token.reveal())")
        request.headers.append(HTTPHeader("x-ms-correlation-request-id", question.correlation.description))
        request.proxy = environment.proxy
        request.connectTimeout = .seconds(4)
        let remaining = environment.time.bootTime().duration(to: question.deadline)
        request.timeout = min(attemptTime, remaining)
        switch await environment.send(request) {
        case .success(let response):
            // Graph's permissions are in the token: only a new token has one that was granted meanwhile.
            if response.status == 401 || service == .directory && response.status == 403 {
                identity.discard(token, for: audience)
            }
            return response
        case .failure(let error): throw fault(error, remaining: remaining)
        }
    }

    private func fault(_ error: HTTPError, remaining: Duration) -> EndpointFault {
        let fault = AccessCheckFault(error, from: name)
        switch error.kind {
        // A timeout below `fairTime` says nothing about the endpoint.
        case .timeout where remaining < Self.fairTime: return EndpointFault(kind: .noAnswer, fault: fault)
        // No connection, one to another host, or no response: no decision was made, and none is on its way.
        case .nameResolution, .unreachable, .proxy: return .noRoute(fault)
        case .tls, .timeout: return .notReached(fault)
        case .dropped: return EndpointFault(kind: .dropped, fault: fault)
        case .cut: return .failing(fault)
        case .curlMissing, .invalidRequest, .tooLarge, .malformed, .cancelled, .resources:
            return EndpointFault(kind: .noAnswer, fault: fault)
        }
    }

    private func fault(_ response: HTTPResponse, _ question: AccessQuestion) -> EndpointFault {
        let refusal = ServiceRefusal(parsing: response.body)
        let reason = StatusTable.reason(of: response.status, from: service)
        let fault = AccessCheckFault(
            response,
            from: service,
            at: name,
            saying: refusal.text,
            remedy: reason == .identityMayNotAsk || reason == .directoryRefused
                ? remedy(question)
                : service == .roleService && Self.unserved.contains(response.status) ? .leaveOut(checker: name) : nil
        )
        switch reason {
        case .throttled, .unreachable: return .failing(fault)
        case .malformedAnswer where service == .roleService && response.status == 404 && refusal.saysResourceIsMissing:
            return .notServed(AccessCheckFault(.resourceNotFound, of: name, detail: fault.facts))
        // 401 and 403, 404 and 405 for the path, other refusals of the question, redirects: the question is not served
        // here.
        default: return .notServed(fault)
        }
    }
}
