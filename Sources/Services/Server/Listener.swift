// SPDX-License-Identifier: Apache-2.0

package import LinuxSystem
internal import Synchronization

/// Limits on what the peers of one socket may use.
package struct ConnectionLimits: Hashable, Sendable {
    /// Open connections. Each sign-in holds one for as long as its question takes, at most 10 s.
    package var connections: Int
    /// A peer that has connected and sends nothing is disconnected after this long.
    package var timeout: Duration

    package init(connections: Int = 1024, timeout: Duration = .seconds(2)) {
        self.connections = connections
        self.timeout = timeout
    }
}

/// Accepts connections at one socket, within limits, on the loop's thread.
///
/// At the limit, new peers wait in the kernel's backlog until their own timeout; no peer is dropped in the middle of an
/// answer.
package final class Listener: Sendable {
    /// Time between two checks whether there is room again.
    private static let pauseTime: Duration = .milliseconds(20)

    private struct Silent {
        weak var connection: Connection?
        let until: Duration
    }

    private struct State {
        var open = 0
        var watch: WatchToken?
        /// Connections that had not sent their request on arrival, in order of arrival and so of `until`. Some have
        /// ended since.
        var silent: [Silent] = []
        var isSweeping = false
    }

    private let socket: UnixListener
    private let kind: SocketKind
    private let loop: EventLoop
    private let router: RequestRouter
    private let limits: ConnectionLimits
    private let state = Mutex(State())
    private let buffer = RequestBuffer()

    package init(
        _ socket: consuming UnixListener,
        kind: SocketKind,
        loop: EventLoop,
        router: RequestRouter,
        limits: ConnectionLimits = ConnectionLimits()
    ) {
        self.socket = socket
        self.kind = kind
        self.loop = loop
        self.router = router
        self.limits = limits
    }

    /// Begins to accept. On the loop's thread, or before it runs. The loop keeps the listener alive from then on.
    package func start() throws(Errno) {
        let token = try loop.watch(socket.descriptor, for: .readable) { [self] _ in acceptNext() }
        state.withLock { $0.watch = token }
    }

    package var openConnections: Int { state.withLock { $0.open } }

    /// Accepts one connection a turn of the loop: a flood at one socket does not starve the other, and a single peer
    /// costs no second accept(2) that only finds the backlog empty.
    private func acceptNext() {
        guard openConnections < limits.connections else { return pause() }
        do {
            if let accepted = try socket.accept() { serve(accepted) }
        } catch {
            // Out of descriptors or memory: the connection stays in the backlog.
            pause()
        }
    }

    private func serve(_ link: consuming UnixConnection) {
        state.withLock { $0.open += 1 }
        let connection = Connection(link, kind: kind, loop: loop, router: router, buffer: buffer) { [self] in
            state.withLock { $0.open -= 1 }
        }
        if connection.begin() { limitSilence(of: connection) }
    }

    /// Level-triggered readiness would spin while nothing can be accepted: looks again a little later.
    private func pause() {
        guard let token = state.withLock({ $0.watch.take() }) else { return }
        loop.unwatch(token)
        loop.start { [self] in
            repeat {
                await loop.sleep(until: SystemClock.sinceBoot() + Listener.pauseTime)
            } while (try? start()) == nil
        }
    }

    // MARK: Silence

    /// One task watches all silent connections; most of them send their request long before their time is over.
    private func limitSilence(of connection: Connection) {
        let silent = Silent(connection: connection, until: SystemClock.sinceBoot() + limits.timeout)
        let mustStart = state.withLock { state in
            if state.silent.count >= 2 * limits.connections { state.silent.removeAll { $0.connection == nil } }
            state.silent.append(silent)
            defer { state.isSweeping = true }
            return !state.isSweeping
        }
        guard mustStart else { return }
        loop.start { [self] in
            while let next = letSilentGo() { await loop.sleep(until: next) }
        }
    }

    /// Ends the silent connections whose time is over. Returns the time of the next one, or nil if there is none.
    private func letSilentGo() -> Duration? {
        let now = SystemClock.sinceBoot()
        let (due, next) = state.withLock { state in
            let stays = state.silent.firstIndex { $0.until > now && $0.connection != nil } ?? state.silent.endIndex
            let due = state.silent[..<stays].compactMap(\.connection)
            state.silent.removeFirst(stays)
            state.isSweeping = !state.silent.isEmpty
            return (due, state.silent.first?.until)
        }
        for connection in due { connection.stopWaiting() }
        return next
    }
}
