// SPDX-License-Identifier: Apache-2.0

internal import CCurl
internal import Glibc
internal import Synchronization

/// The thread behind `CurlTransport`, and the only one that touches handles (except for the wake-up).
final class CurlLoop: Sendable {
    typealias Waiter = CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>

    /// Kept connections, and connections to one host: further transfers to that host wait, those to others do not. The
    /// numbers are equal: with more connections than are kept, a storm of sign-ins would close and open them all the
    /// time, and each new one reads the system's authorities again, some 40 ms of processor time.
    private static let keptConnections = 6
    private static let connectionsPerHost = keptConnections
    /// Easy handles that are kept for the next transfer, with their TLS sessions. One is kept only after an answer:
    /// before 8.7, libcurl keeps the buffer of a transfer that reached no host, even over a reset, and then refuses to
    /// set its size again.
    private static let keptHandles = 4

    /// A transfer's state on the callers' side.
    private enum Phase {
        case registered
        case cancelled
        case waiting(Waiter)
    }

    private struct State {
        var next: UInt64 = 0
        var phases: [UInt64: Phase] = [:]
        var submitted: [(UInt64, HTTPRequest)] = []
        var abandoned: [UInt64] = []
        var isStopping = false
        /// Nil before the thread starts and after it has ended.
        var multi: OpaquePointer?
    }

    private let curl: CurlLibrary
    private let options: CurlOptions
    private let state: Mutex<State>

    init(library: CurlLibrary, options: CurlOptions) throws(HTTPError) {
        guard let multi = ccurl_multi_init(library.pointer) else { throw HTTPError(.resources, "out of memory") }
        _ = ccurl_multi_set_number(library.pointer, multi, CCURL_MULTI_MAXCONNECTS, CurlLoop.keptConnections)
        _ = ccurl_multi_set_number(
            library.pointer,
            multi,
            CCURL_MULTI_MAX_HOST_CONNECTIONS,
            CurlLoop.connectionsPerHost
        )
        self.curl = library
        self.options = options
        state = Mutex(State(multi: multi))
    }

    /// Starts the thread, which keeps this object alive until `stop()`.
    func start() throws(HTTPError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 19)
        // The thread inherits the mask: no signal, SIGPIPE included, is delivered to it.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, &attributes, runCurlLoop, retained.toOpaque())
        guard code == 0 else {
            retained.release()
            throw HTTPError(.resources, "cannot start a thread: \(String(cString: strerror(code)))")
        }
    }

    // MARK: The callers' side, any thread

    func register() -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.phases[state.next] = .registered
            return state.next
        }
    }

    func forget(_ number: UInt64) { state.withLock { _ = $0.phases.removeValue(forKey: number) } }

    func submit(_ number: UInt64, _ request: HTTPRequest, _ waiter: Waiter) {
        let isAccepted = state.withLock { state in
            guard case .registered = state.phases[number], !state.isStopping else { return false }
            state.phases[number] = .waiting(waiter)
            state.submitted.append((number, request))
            wake(state)
            return true
        }
        if !isAccepted { waiter.resume(returning: .failure(HTTPError(.cancelled))) }
    }

    func cancel(_ number: UInt64) {
        let waiter: Waiter? = state.withLock { state in
            guard let phase = state.phases[number] else { return nil }
            state.phases[number] = .cancelled
            guard case .waiting(let waiter) = phase else { return nil }
            state.submitted.removeAll { $0.0 == number }
            state.abandoned.append(number)
            wake(state)
            return waiter
        }
        waiter?.resume(returning: .failure(HTTPError(.cancelled)))
    }

    func stop() {
        state.withLock { state in
            state.isStopping = true
            wake(state)
        }
    }

    private func wake(_ state: borrowing State) {
        if let multi = state.multi { _ = ccurl_multi_wakeup(multi) }
    }

    private func finish(_ number: UInt64, _ result: Result<HTTPResponse, HTTPError>) {
        let waiter: Waiter? = state.withLock { state in
            guard case .waiting(let waiter) = state.phases[number] else { return nil }
            state.phases[number] = .cancelled
            return waiter
        }
        waiter?.resume(returning: result)
    }

    // MARK: The curl thread

    fileprivate func run() {
        guard let multi = state.withLock({ $0.multi }) else { return }
        var transfers: [OpaquePointer: CurlTransfer] = [:]
        var idle: [OpaquePointer] = []
        while let work = takeWork() {
            for number in work.abandoned {
                guard let transfer = transfers.values.first(where: { $0.number == number }) else { continue }
                retire(transfer, from: multi, &transfers, &idle, isReusable: false)
            }
            for (number, request) in work.submitted { begin(number, request, on: multi, &transfers, &idle) }
            var running: Int32 = 0
            _ = ccurl_multi_perform(curl.pointer, multi, &running)
            var code: Int32 = 0
            while let easy = ccurl_multi_next_done(curl.pointer, multi, &code) {
                guard let transfer = transfers[easy] else { continue }
                let result = transfer.result(code)
                retire(transfer, from: multi, &transfers, &idle, isReusable: code == CCURL_OK)
                finish(transfer.number, result)
            }
            // libcurl shortens the wait to its own next time-out; an idle transport wakes once in ten minutes.
            _ = ccurl_multi_poll(curl.pointer, multi, transfers.isEmpty ? 600_000 : 10_000)
        }
        end(multi, transfers, idle)
    }

    private func takeWork() -> (submitted: [(UInt64, HTTPRequest)], abandoned: [UInt64])? {
        state.withLock { state in
            guard !state.isStopping else { return nil }
            defer {
                state.submitted = []
                state.abandoned = []
            }
            return (state.submitted, state.abandoned)
        }
    }

    private func begin(
        _ number: UInt64,
        _ request: HTTPRequest,
        on multi: OpaquePointer,
        _ transfers: inout [OpaquePointer: CurlTransfer],
        _ idle: inout [OpaquePointer]
    ) {
        guard let easy = idle.popLast() ?? ccurl_easy_init(curl.pointer) else {
            return finish(number, .failure(HTTPError(.resources, "out of memory")))
        }
        let transfer = CurlTransfer(number: number, easy: easy, library: curl, maximumBody: request.maximumBody)
        do throws(HTTPError) {
            try transfer.prepare(request, options)
            guard ccurl_multi_add(curl.pointer, multi, easy) == 0 else {
                throw HTTPError(.resources, "libcurl refuses the transfer")
            }
            transfers[easy] = transfer
        } catch {
            withExtendedLifetime(transfer) { ccurl_easy_cleanup(curl.pointer, easy) }
            finish(number, .failure(error))
        }
    }

    /// Takes a transfer off the multi handle, and keeps or frees its easy handle.
    private func retire(
        _ transfer: CurlTransfer,
        from multi: OpaquePointer,
        _ transfers: inout [OpaquePointer: CurlTransfer],
        _ idle: inout [OpaquePointer],
        isReusable: Bool
    ) {
        _ = ccurl_multi_remove(curl.pointer, multi, transfer.easy)
        transfers[transfer.easy] = nil
        if isReusable, idle.count < CurlLoop.keptHandles {
            ccurl_easy_reset(curl.pointer, transfer.easy)
            idle.append(transfer.easy)
        } else {
            ccurl_easy_cleanup(curl.pointer, transfer.easy)
        }
    }

    private func end(_ multi: OpaquePointer, _ transfers: [OpaquePointer: CurlTransfer], _ idle: [OpaquePointer]) {
        for transfer in transfers.values {
            _ = ccurl_multi_remove(curl.pointer, multi, transfer.easy)
            ccurl_easy_cleanup(curl.pointer, transfer.easy)
        }
        for easy in idle { ccurl_easy_cleanup(curl.pointer, easy) }
        let numbers = state.withLock { state in
            state.multi = nil
            return Array(state.phases.keys)
        }
        ccurl_multi_cleanup(curl.pointer, multi)
        for number in numbers { finish(number, .failure(HTTPError(.cancelled, "the transport was closed"))) }
    }
}

/// At file scope, so that it belongs to no actor: it runs on a thread that Swift does not know.
private func runCurlLoop(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
