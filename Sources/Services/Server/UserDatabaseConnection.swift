// SPDX-License-Identifier: Apache-2.0

internal import LinuxSystem
internal import Synchronization
internal import UserRecords

/// One connection of somebody who asks for user records: calls and their replies, one after the other, until the peer
/// goes, breaks the protocol, or stands still for too long. On the loop's thread only.
final class UserDatabaseConnection: Sendable {
    /// Bytes made at once for a long list. What the peer has not taken is waited for before more is made.
    private static let chunk = 16 << 10

    private struct State {
        var inbox = VarlinkInbox()
        /// What the kernel has not taken yet.
        var outbox: ArraySlice<UInt8> = []
        var replies = VarlinkReplies.none
        var watch: WatchToken?
        var interest = Readiness.readable
        var isOver = false
        /// Since boot, when something last went forward.
        var lastStep: Duration
    }

    private let link: UnixStream
    private let loop: EventLoop
    private let database: UserDatabase
    private let onEnd: @Sendable () -> Void
    private let state: Mutex<State>

    var peer: PeerCredentials { link.peer }

    /// When something last went forward.
    var lastStep: Duration { state.withLock { $0.lastStep } }

    /// `onEnd` is called once, when the connection is over.
    init(
        _ link: consuming UnixStream,
        loop: EventLoop,
        database: UserDatabase,
        onEnd: @escaping @Sendable () -> Void
    ) {
        self.link = link
        self.loop = loop
        self.database = database
        self.onEnd = onEnd
        state = Mutex(State(lastStep: SystemClock.sinceBoot()))
    }

    /// Answers what has come already, and waits for what comes.
    func begin() {
        var isGood = true
        do throws(Errno) { isGood = try receive() } catch { isGood = false }
        isGood ? waitForReadiness() : end()
    }

    /// Ends it, whatever is under way.
    func end() {
        let token = state.withLock { state -> WatchToken?? in
            guard !state.isOver else { return nil }
            state.isOver = true
            return .some(state.watch.take())
        }
        guard let token else { return }
        if let token { loop.unwatch(token) }
        onEnd()
    }

    private func advance() {
        var isGood = false
        do throws(Errno) {
            isGood = try state.withLock({ $0.interest }) == .writable ? send() : receive()
        } catch {
            isGood = false
        }
        isGood ? waitForReadiness() : end()
    }

    /// One descriptor has one watch: reading and writing take turns.
    private func waitForReadiness() {
        let (old, interest) = state.withLock { state -> (WatchToken?, Readiness?) in
            let wanted: Readiness = state.outbox.isEmpty ? .readable : .writable
            guard state.watch == nil || state.interest != wanted else { return (nil, nil) }
            state.interest = wanted
            return (state.watch.take(), wanted)
        }
        if let old { loop.unwatch(old) }
        guard let interest else { return }
        // Where it cannot be watched (memory), the connection is over.
        guard let token = try? loop.watch(link.descriptor, for: interest, { [self] _ in advance() }) else {
            return end()
        }
        state.withLock { $0.watch = token }
    }

    /// Takes what has come and answers the calls in it; false where the connection is over.
    private func receive() throws(Errno) -> Bool {
        switch try link.receive(limit: state.withLock { $0.inbox.room }) {
        case .closed: return false
        case .notYet: return true
        case .bytes(let bytes):
            state.withLock { $0.inbox.add(bytes) }
            return try send()
        }
    }

    /// Sends what there is, and answers the calls that wait, until the peer does not read fast enough; then the rest has
    /// to wait for the next turn of the loop. A long list takes a turn for each of its chunks, too.
    private func send() throws(Errno) -> Bool {
        while true {
            let outbox = state.withLock { $0.outbox }
            if !outbox.isEmpty {
                let sent = try link.send(outbox)
                state.withLock { state in
                    state.outbox = state.outbox.dropFirst(sent)
                    if sent > 0 { state.lastStep = SystemClock.sinceBoot() }
                }
                guard sent == outbox.count else { return true }
            }
            switch compose() {
            case .more(let isLong): if isLong { return true }
            case .nothing: return true
            case .malformed: return false
            }
        }
    }

    private enum Composition {
        case more(isLong: Bool)
        case nothing
        case malformed
    }

    /// Puts the next replies into the empty outbox.
    private func compose() -> Composition {
        state.withLock { state in
            let frames = state.replies.frames(about: Self.chunk)
            if !frames.isEmpty {
                state.outbox = frames[...]
                return .more(isLong: frames.count >= Self.chunk)
            }
            do throws(VarlinkCall.Malformed) {
                guard let call = try state.inbox.next() else { return .nothing }
                state.lastStep = SystemClock.sinceBoot()
                state.replies = database.answer(call)
                return .more(isLong: false)
            } catch {
                return .malformed
            }
        }
    }
}
