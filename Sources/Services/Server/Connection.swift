// SPDX-License-Identifier: Apache-2.0

internal import LinuxSystem
internal import Synchronization
internal import Wire

/// The buffer into which requests are read, one after the other: everything here happens on the loop's thread.
final class RequestBuffer: Sendable {
    enum Reception {
        case request([UInt8])
        case notYet
        /// The peer has gone, failed, or sent more than the longest request.
        case over
    }

    private let bytes = Mutex([UInt8](repeating: 0, count: RequestRouter.longestRequest))

    func receive(from link: borrowing UnixConnection) -> Reception {
        bytes.withLock { bytes in
            switch try? link.receive(into: &bytes) {
            case .message(let count): .request(Array(bytes[..<count]))
            case .notYet: .notYet
            case .tooLong, .closed, nil: .over
            }
        }
    }
}

/// One connection: one request, one answer, then it is closed. On the loop's thread only.
///
/// It lives while its request is awaited or being answered: the last reference to it closes the descriptor.
final class Connection: Sendable {
    private let link: UnixConnection
    private let kind: SocketKind
    private let loop: EventLoop
    private let router: RequestRouter
    private let buffer: RequestBuffer
    private let onEnd: @Sendable () -> Void
    private let watch = Mutex<WatchToken?>(nil)

    /// `onEnd` is called once, when the connection is over.
    init(
        _ link: consuming UnixConnection,
        kind: SocketKind,
        loop: EventLoop,
        router: RequestRouter,
        buffer: RequestBuffer,
        onEnd: @escaping @Sendable () -> Void
    ) {
        self.link = link
        self.kind = kind
        self.loop = loop
        self.router = router
        self.buffer = buffer
        self.onEnd = onEnd
    }

    deinit { onEnd() }

    /// Answers the request if it has already come, and otherwise waits for it; returns true if it waits.
    func begin() -> Bool {
        guard !read() else { return false }
        // Watch for one event: after it, there is a message or an end to read. If the watch fails (memory), the
        // connection ends.
        let token = try? loop.watchOnce(link.descriptor, for: .readable) { [self] _ in _ = read() }
        watch.withLock { $0 = token }
        return token != nil
    }

    /// Gives up a peer that has sent nothing; no effect on one that is being answered.
    func stopWaiting() {
        guard let token = watch.withLock({ $0.take() }) else { return }
        loop.unwatch(token)
    }

    /// True if nothing more is to be read: the request has arrived, or the peer has gone.
    private func read() -> Bool {
        switch buffer.receive(from: link) {
        case .notYet: return false
        case .request(let frame):
            stopWaiting()
            answer(frame)
        case .over: stopWaiting()
        }
        return true
    }

    private func answer(_ frame: [UInt8]) {
        switch router.route(frame, from: link.peer, on: kind) {
        case .now(let reply): send(reply)
        case .later(let work): loop.start { [self] in send(await work()) }
        case .nothing: break
        }
    }

    private func send(_ reply: [UInt8]) {
        // A peer that has gone or does not read loses its answer: the daemon never waits for it.
        try? link.send(reply)
    }
}
