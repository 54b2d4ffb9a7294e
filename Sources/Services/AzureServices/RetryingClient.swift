// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import HTTPTransport
internal import Identity
internal import Synchronization

/// How far this machine's clock is from Azure's, by the last answer over TLS. Certificates and tokens depend on it.
package final class ClockComparison: Sendable {
    private let ahead = Mutex<Int64?>(nil)

    package init() {}

    /// Seconds; negative: behind. Nil before the first answer.
    package var aheadSeconds: Int64? { ahead.withLock { $0 } }

    func note(_ response: HTTPResponse, at now: UnixTime) {
        guard let date = response.header("Date").flatMap(HTTPDate.seconds) else { return }
        ahead.withLock { $0 = now.seconds - date }
    }
}

/// The services' dependencies: transport, clock, randomness, tasks and proxy.
package struct AzureEnvironment: Sendable {
    package let transport: any HTTPTransport
    package let time: any TimeSource
    package let random: any RandomSource
    package let tasks: any TaskStarter
    /// The proxy for requests to the cloud; the metadata services are always asked directly.
    package let proxy: HTTPProxy
    package let clock = ClockComparison()

    package init(
        transport: any HTTPTransport,
        time: any TimeSource,
        random: any RandomSource,
        tasks: any TaskStarter,
        proxy: HTTPProxy = .environment
    ) {
        self.transport = transport
        self.time = time
        self.random = random
        self.tasks = tasks
        self.proxy = proxy
    }

    /// One attempt.
    func send(_ request: HTTPRequest) async -> Result<HTTPResponse, HTTPError> {
        do throws(HTTPError) {
            let response = try await transport.send(request)
            // Only an authenticated server may say what time it is.
            if request.url.hasPrefix("https://") { clock.note(response, at: time.wallTime()) }
            return .success(response)
        } catch {
            return .failure(error)
        }
    }

    /// 0 up to 1.
    func jitter() -> Double {
        let bytes = random.bytes(2)
        return Double(bytes.reduce(0) { $0 << 8 | UInt32($1) }) / 65_536
    }
}

/// Sends a request and, within a deadline, repeats it if that can help.
struct RetryingClient: Sendable {
    /// The outcome of one attempt.
    typealias Attempt = Result<HTTPResponse, HTTPError>

    let environment: AzureEnvironment
    let policy: RetryPolicy

    /// For `send`: true if the transport failed, or the host says that it cannot answer now.
    static func isTransient(_ attempt: Attempt, _ number: Int) -> Bool {
        guard case .success(let response) = attempt else { return true }
        return response.status == 429 || response.status >= 500
    }

    /// Returns the first outcome that is not worth repeating, or the last one if no attempt or time is left.
    /// `isWorthRepeating` gets the attempt's number, from 1. Each attempt takes at most `attemptTime`.
    func send(
        _ request: HTTPRequest,
        attemptTime: Duration,
        by deadline: BootTime,
        repeating isWorthRepeating: @Sendable (Attempt, Int) -> Bool
    ) async -> Attempt {
        var request = request
        var number = 1
        while true {
            let remaining = environment.time.bootTime().duration(to: deadline)
            request.timeout = min(attemptTime, remaining)
            let attempt = await environment.send(request)
            guard isWorthRepeating(attempt, number), !Task.isCancelled else { return attempt }
            var retryAfter: Duration?
            if case .success(let response) = attempt {
                retryAfter = RetryPolicy.retryAfter(response.header("Retry-After"))
                // The metadata service sends no `Retry-After`; its limit is per second.
                if response.status == 429, retryAfter == nil { retryAfter = .seconds(1) }
            }
            let jitter = environment.jitter()
            guard let wait = policy.wait(afterAttempt: number, retryAfter: retryAfter, jitter: jitter) else {
                return attempt
            }
            // An answer after the deadline is of no use.
            let next = environment.time.bootTime().advanced(by: wait)
            guard next < deadline else { return attempt }
            await environment.time.sleep(until: next)
            number += 1
        }
    }
}

extension AccessCheckFault {
    /// The fault for a transport's failure; `host` is named in the detail.
    init(_ error: HTTPError, from host: String) {
        let reason: DenialReason =
            switch error.kind {
            case .tooLarge, .malformed, .invalidRequest: .malformedAnswer
            case .curlMissing, .nameResolution, .unreachable, .proxy, .tls, .timeout, .dropped, .cut, .cancelled,
                .resources:
                .unreachable
            }
        self.init(reason, of: host, detail: "\(error)", cause: NetworkCause(error.kind))
    }
}

extension NetworkCause {
    /// Nil for a failure that another network path would not fix.
    package init?(_ kind: HTTPError.Kind) {
        switch kind {
        case .nameResolution: self = .nameResolution
        case .proxy: self = .proxy
        case .tls: self = .tls
        case .timeout: self = .silence
        case .unreachable: self = .closed
        case .curlMissing: self = .noLibcurl
        case .invalidRequest, .tooLarge, .malformed, .dropped, .cut, .cancelled, .resources: return nil
        }
    }
}

/// A value for a URL's query: everything but the unreserved characters of RFC 3986, 2.3 is percent-encoded.
func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}
