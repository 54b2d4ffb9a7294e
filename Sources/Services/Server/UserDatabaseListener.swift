// SPDX-License-Identifier: Apache-2.0

package import LinuxSystem
internal import Synchronization
package import UserRecords

/// How much of the daemon those who ask for user records may hold. The socket is everybody's.
package struct UserDatabaseLimits: Hashable, Sendable {
    /// Open connections of one uid, of root, and of all together. A client above a limit is let go at once and goes on
    /// to the next name service: nobody is kept waiting.
    package var perUser: Int
    package var root: Int
    package var total: Int
    /// Who neither asks nor reads is let go after this long.
    package var patience: Duration
    /// And everybody after this long.
    package var lifetime: Duration

    package init(
        perUser: Int = 16,
        root: Int = 128,
        total: Int = 256,
        patience: Duration = .seconds(2),
        lifetime: Duration = .seconds(30)
    ) {
        self.perUser = perUser
        self.root = root
        self.total = total
        self.patience = patience
        self.lifetime = lifetime
    }
}

/// Serves systemd's user database (varlink over a stream socket) on the daemon's loop, within limits.
package final class UserDatabaseListener: Sendable {
    /// Accepted in one turn of the loop: few, so that the daemon's own sockets come first.
    private static let acceptLimit = 8
    /// Between two looks whether somebody stands still, or whether there is room again.
    private static let sweepTime: Duration = .milliseconds(250)

    private struct Open {
        let connection: UserDatabaseConnection
        let until: Duration
    }

    private struct State {
        var open: [UInt64: Open] = [:]
        var perUser: [UInt32: Int] = [:]
        var accepted: UInt64 = 0
        var watch: WatchToken?
        var isSweeping = false
    }

    private let socket: UnixListener
    private let loop: EventLoop
    private let database: UserDatabase
    private let limits: UserDatabaseLimits
    private let state = Mutex(State())

    /// `socket` is of type `stream`.
    package init(
        _ socket: consuming UnixListener,
        loop: EventLoop,
        database: UserDatabase,
        limits: UserDatabaseLimits = UserDatabaseLimits()
    ) {
        self.socket = socket
        self.loop = loop
        self.database = database
        self.limits = limits
    }

    /// Begins to accept. On the loop's thread, or before it runs. The loop keeps the listener alive from then on.
    package func start() throws(Errno) {
        let token = try loop.watch(socket.descriptor, for: .readable) { [self] _ in acceptWaiting() }
        state.withLock { $0.watch = token }
    }

    /// How many connections are open.
    package var openConnections: Int { state.withLock { $0.open.count } }

    private func acceptWaiting() {
        for _ in 0..<UserDatabaseListener.acceptLimit {
            do {
                guard let accepted = try socket.acceptStream() else { return }
                if hasRoom(for: accepted.peer.uid) { serve(accepted) }
            } catch {
                // Out of descriptors or memory: the connection stays in the backlog.
                return pause()
            }
        }
    }

    private func hasRoom(for uid: UInt32) -> Bool {
        state.withLock { state in
            state.open.count < limits.total
                && state.perUser[uid, default: 0] < (uid == 0 ? limits.root : limits.perUser)
        }
    }

    private func serve(_ link: consuming UnixStream) {
        let uid = link.peer.uid
        let number = state.withLock { state in
            state.accepted += 1
            return state.accepted
        }
        let connection = UserDatabaseConnection(link, loop: loop, database: database) { [self] in
            ended(number, of: uid)
        }
        let mustSweep = state.withLock { state in
            state.open[number] = Open(connection: connection, until: SystemClock.sinceBoot() + limits.lifetime)
            state.perUser[uid, default: 0] += 1
            defer { state.isSweeping = true }
            return !state.isSweeping
        }
        connection.begin()
        if mustSweep { loop.start { [self] in await sweep() } }
    }

    private func ended(_ number: UInt64, of uid: UInt32) {
        state.withLock { state in
            guard state.open.removeValue(forKey: number) != nil else { return }
            let left = state.perUser[uid, default: 1] - 1
            state.perUser[uid] = left > 0 ? left : nil
        }
    }

    /// Lets those go who stand still, as long as anybody is there.
    private func sweep() async {
        while true {
            await loop.sleep(until: SystemClock.sinceBoot() + Self.sweepTime)
            let now = SystemClock.sinceBoot()
            let due = state.withLock { state -> [UserDatabaseConnection]? in
                state.isSweeping = !state.open.isEmpty
                guard state.isSweeping else { return nil }
                return state.open.values.filter { open in
                    open.until <= now || open.connection.lastStep + limits.patience <= now
                }.map(\.connection)
            }
            guard let due else { return }
            for connection in due { connection.end() }
        }
    }

    /// Level-triggered readiness would spin while nothing can be accepted: looks again a little later.
    private func pause() {
        guard let token = state.withLock({ $0.watch.take() }) else { return }
        loop.unwatch(token)
        loop.start { [self] in
            repeat {
                await loop.sleep(until: SystemClock.sinceBoot() + Self.sweepTime)
            } while (try? start()) == nil
        }
    }
}
