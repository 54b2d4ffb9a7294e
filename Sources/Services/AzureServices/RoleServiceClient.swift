// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import AzureMessages
internal import HTTPTransport
internal import Identity

/// What the checkers have in common: a request with our token, repeated where that can help, and one meaning for each
/// way in which there is no answer (contract, chapter 4).
struct RoleServiceClient: Sendable {
    /// A host that does not answer within this can be said not to answer.
    private static let fairTime = Duration.seconds(2)
    /// A connection that is dropped without an answer: once may be chance, a firewall does it each time.
    private static let droppedAttempts = 3

    let name: String
    let environment: AzureEnvironment
    let identity: ManagedIdentity
    /// What mends a 401 or 403 for our own identity.
    let remedy: @Sendable (AccessQuestion) -> String

    /// The body of a 200.
    func exchange(
        _ request: HTTPRequest,
        audience: String,
        for question: AccessQuestion,
        attemptTime: Duration
    ) async throws(EndpointFault) -> [UInt8] {
        var response = try await attempt(request, audience, question, attemptTime)
        if response.status == 401 {
            // The token may have ended before its time; `attempt` has dropped it. Once anew, and no more.
            response = try await attempt(request, audience, question, attemptTime)
        }
        guard response.status == 200 else { throw fault(response, question) }
        return response.body
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
            // Another audience may do better. Everything else is as true for the next endpoint as for this one.
            throw error.reason == .applicationMissing ? EndpointFault.notServed(error) : EndpointFault.failing(error)
        }
        var request = request
        request.authorization = Secret("Bearer \(token.reveal())")
        request.headers.append(HTTPHeader("x-ms-correlation-request-id", question.correlation.description))
        request.proxy = environment.proxy
        request.connectTimeout = .seconds(4)
        let remaining = environment.time.bootTime().duration(to: question.deadline)
        let client = PatientClient(environment: environment, policy: .interactive)
        let outcome = await client.send(request, attemptTime: attemptTime, by: question.deadline) { attempt, number in
            switch attempt {
            case .success(let response): response.status == 429 || response.status >= 500 && response.status != 501
            case .failure(let error):
                error.kind == .cut || error.kind == .dropped && number < Self.droppedAttempts
            }
        }
        switch outcome {
        case .success(let response):
            if response.status == 401 { identity.discard(token, for: audience) }
            return response
        case .failure(let error): throw fault(error, remaining: remaining)
        }
    }

    private func fault(_ error: HTTPError, remaining: Duration) -> EndpointFault {
        let fault = AccessCheckFault(error, from: name)
        switch error.kind {
        // A caller in a hurry proves nothing about the endpoint.
        case .timeout where remaining < Self.fairTime: return .failing(fault)
        // Nothing was connected to, or not to the one we meant, or nothing came: not a decision, and none is on its way.
        case .nameResolution, .unreachable, .proxy, .tls, .timeout, .dropped: return .notReached(fault)
        case .curlMissing, .invalidRequest, .tooLarge, .malformed, .cut, .cancelled, .resources:
            return .failing(fault)
        }
    }

    private func fault(_ response: HTTPResponse, _ question: AccessQuestion) -> EndpointFault {
        let refusal = ServiceRefusal(parsing: response.body)
        let detail = "\(name): status \(response.status)" + (refusal.text.isEmpty ? "" : " \(refusal.text)")
        switch response.status {
        case 401, 403:
            return .notServed(AccessCheckFault(.identityMayNotAsk, detail: "\(detail); \(remedy(question))"))
        case 404 where refusal.saysResourceIsMissing:
            return .notServed(AccessCheckFault(.resourceNotFound, detail: detail))
        case 429:
            let wait = RetryPolicy.retryAfter(response.header("Retry-After"))
            return .failing(AccessCheckFault(.throttled, detail: detail, retryAfter: wait))
        case 501: return .notServed(AccessCheckFault(.malformedAnswer, detail: detail))
        case 500...599: return .failing(AccessCheckFault(.unreachable, detail: detail))
        // 404 and 405 on the path, other refusals of our question, redirects: it is not served here.
        default: return .notServed(AccessCheckFault(.malformedAnswer, detail: detail))
        }
    }
}
