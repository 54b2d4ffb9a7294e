// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// One sign-in with a code that has not ended, or whose end nobody has heard of.
final class PendingSignIn: Sendable {
    private struct State {
        var verdict: StageVerdict?
        var lastHeard: BootTime
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<StageVerdict?, Never>] = [:]
    }

    /// Whose process asks no more is given up after this long.
    private static let patience: Duration = .seconds(30)

    let account: Account
    let process: any WatchedProcess
    let grant: any DeviceGrant
    let endsAt: BootTime
    private let state: Mutex<State>

    init(account: Account, process: any WatchedProcess, grant: any DeviceGrant, endsAt: BootTime, at now: BootTime) {
        self.account = account
        self.process = process
        self.grant = grant
        self.endsAt = endsAt
        state = Mutex(State(lastHeard: now))
    }

    /// Its process lives, and has asked not long ago.
    func isAwaited(at now: BootTime) -> Bool {
        process.isAlive && state.withLock { $0.lastHeard }.duration(to: now) <= PendingSignIn.patience
    }

    /// Its end. The first verdict counts.
    func land(_ verdict: StageVerdict) {
        let waiting = state.withLock { state in
            guard state.verdict == nil else { return [CheckedContinuation<StageVerdict?, Never>]() }
            state.verdict = verdict
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiting { waiter.resume(returning: verdict) }
    }

    /// The verdict, or nil where there is none by `deadline`.
    func verdict(by deadline: BootTime, on time: any TimeSource) async -> StageVerdict? {
        let now = time.bootTime()
        let landed = state.withLock { state in
            state.lastHeard = max(state.lastHeard, now)
            return state.verdict
        }
        if let landed { return landed }
        return await withTaskGroup(of: StageVerdict?.self) { group in
            group.addTask { await self.wait() }
            group.addTask {
                await time.sleep(until: deadline)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// Returns nil where the task is cancelled first.
    private func wait() async -> StageVerdict? {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let landed: StageVerdict?? = state.withLock { state in
                    if let verdict = state.verdict { return .some(verdict) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[waiter] = continuation
                    return nil
                }
                if let landed { continuation.resume(returning: landed) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume(returning: nil)
        }
    }
}

/// Those that have not ended, by the pid of the process that asks. Bounded: places are taken before Entra is asked, and
/// nobody's is given up for another's.
final class PendingSignIns: Sendable {
    static let limit = 64
    /// At once, for one account: a person and a mistyped terminal, but no flood of codes under one name.
    static let perAccount = 3

    private struct Place {
        let name: UserName
        let process: any WatchedProcess
        var pending: (handle: String, signIn: PendingSignIn)?
    }

    private let places = Mutex<[Int32: Place]>([:])

    /// Takes the process's place. One that it has already is left to the new sign-in.
    func reserve(for name: UserName, in process: any WatchedProcess, at now: BootTime) throws(Denial) {
        try places.withLock { places throws(Denial) in
            places = places.filter { $0.value.process.isAlive && $0.value.pending?.signIn.isAwaited(at: now) ?? true }
            places[process.pid] = nil
            guard places.count < PendingSignIns.limit,
                places.values.count(where: { $0.name == name }) < PendingSignIns.perAccount
            else { throw Denial(.tooManyAttempts) }
            places[process.pid] = Place(name: name, process: process)
        }
    }

    func put(_ signIn: PendingSignIn, under handle: String) {
        places.withLock { $0[signIn.process.pid]?.pending = (handle, signIn) }
    }

    /// The sign-in of that name in the living process with that pid.
    func find(_ handle: String, in pid: Int32) -> PendingSignIn? {
        places.withLock { places in
            guard let place = places[pid], place.process.isAlive, let pending = place.pending else { return nil }
            return pending.handle == handle ? pending.signIn : nil
        }
    }

    func isCurrent(_ signIn: PendingSignIn) -> Bool {
        places.withLock { $0[signIn.process.pid]?.pending?.signIn === signIn }
    }

    func release(_ pid: Int32) { places.withLock { $0[pid] = nil } }

    /// The same, unless the place is another sign-in's by now.
    func release(_ signIn: PendingSignIn) {
        places.withLock { places in
            if places[signIn.process.pid]?.pending?.signIn === signIn { places[signIn.process.pid] = nil }
        }
    }

    var count: Int { places.withLock { $0.count } }
}
