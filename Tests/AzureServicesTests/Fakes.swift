// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import Glibc
import HTTPTransport
import Identity
import Synchronization

/// A clock that moves only when a task sleeps: it jumps to the end of the sleep, and the task wakes at once.
final class VirtualClock: TimeSource {
    private let state = Mutex(Duration.seconds(1000))

    func wallTime() -> UnixTime { UnixTime(seconds: 1_800_000_000 + state.withLock { $0 }.components.seconds) }

    func bootTime() -> BootTime { BootTime(sinceBoot: state.withLock { $0 }) }

    func sleep(until time: BootTime) async { state.withLock { $0 = max($0, time.sinceBoot) } }

    func advance(_ duration: Duration) { state.withLock { $0 += duration } }

    /// The time that has passed since the clock was made.
    var elapsed: Duration { state.withLock { $0 } - .seconds(1000) }
}

/// Constant "random" bytes: every byte is the same.
struct ConstantBytes: RandomSource {
    var byte: UInt8 = 0

    func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
}

struct TaskStarterOfTests: TaskStarter {
    func start(_ operation: @escaping @Sendable () async -> Void) { Task { await operation() } }
}

/// Answers by the URL's prefix, in order; the last answer repeats. Keeps the requests.
final class ScriptedTransport: HTTPTransport {
    typealias Answer = Result<HTTPResponse, HTTPError>

    private struct State {
        var scripts: [String: [Answer]] = [:]
        var requests: [HTTPRequest] = []
    }

    private let state = Mutex(State())
    private let time: VirtualClock?

    /// With a clock, a time-out takes the time that the request allows.
    init(time: VirtualClock? = nil) { self.time = time }

    func script(_ prefix: String, _ answers: Answer...) { state.withLock { $0.scripts[prefix] = answers } }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    func requests(to prefix: String) -> [HTTPRequest] { requests.filter { $0.url.hasPrefix(prefix) } }

    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let answer: Answer? = state.withLock { state in
            state.requests.append(request)
            // The longest prefix that matches.
            guard let key = state.scripts.keys.filter({ request.url.hasPrefix($0) }).max(by: { $0.count < $1.count })
            else { return nil }
            guard let answers = state.scripts[key], let first = answers.first else { return nil }
            if answers.count > 1 { state.scripts[key] = Array(answers.dropFirst()) }
            return first
        }
        if case .failure(let error) = answer, error.kind == .timeout { time?.advance(request.timeout) }
        return try (answer ?? .failure(HTTPError(.unreachable, "nothing is scripted"))).get()
    }
}

extension ScriptedTransport.Answer {
    static func answer(_ status: Int, _ body: String = "", _ headers: HTTPHeader...) -> Self {
        .success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
    }

    static func error(_ kind: HTTPError.Kind) -> Self { .failure(HTTPError(kind, "scripted")) }
}
