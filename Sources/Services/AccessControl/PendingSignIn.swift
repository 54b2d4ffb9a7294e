// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import InFlight
internal import Synchronization

/// One sign-in with a code that has not ended, or whose verdict was not fetched yet.
final class PendingSignIn: Sendable {
    /// A sign-in whose process has not asked for this long is given up.
    private static let longestSilence: Duration = .seconds(30)

    /// What the user needs besides the proof of their identity.
    struct Need: Hashable, Sendable {
        /// sudo's: see `DeviceRequest.isStepUp`.
        let isStepUp: Bool
        let role: Role
        /// The decision on the role must not be older.
        let maximumAge: Duration
    }

    let account: Account
    let process: any WatchedProcess
    let grant: any DeviceGrant
    let need: Need
    let endsAt: BootTime
    private let ending = PendingOutcome<StageVerdict>()
    private let lastHeard: Mutex<BootTime>

    init(
        account: Account,
        process: any WatchedProcess,
        grant: any DeviceGrant,
        need: Need,
        endsAt: BootTime,
        at now: BootTime
    ) {
        self.account = account
        self.process = process
        self.grant = grant
        self.need = need
        self.endsAt = endsAt
        lastHeard = Mutex(now)
    }

    /// Its process lives and has asked recently.
    func isAwaited(at now: BootTime) -> Bool {
        process.isAlive && lastHeard.withLock { $0 }.duration(to: now) <= PendingSignIn.longestSilence
    }

    /// Ends it. Only the first verdict counts.
    func finish(_ verdict: StageVerdict) { ending.finish(with: verdict) }

    /// The verdict, or nil if there is none by `deadline`.
    func verdict(by deadline: BootTime, on time: any TimeSource) async -> StageVerdict? {
        let now = time.bootTime()
        lastHeard.withLock { $0 = max($0, now) }
        return await ending.outcome(by: deadline, on: time)
    }
}

/// The pending sign-ins, by the pid of the process that asks. Bounded: a place is reserved before Entra is asked, and
/// no sign-in loses its place to another invoker's.
final class PendingSignIns: Sendable {
    static let limit = 64
    /// Places for one invoker at a time: enough to retry after a mistake on another terminal, too few to flood the user
    /// with codes or to use up the others' places.
    static let perInvoker = 3

    /// The party whose limit a place counts against.
    enum Invoker: Hashable, Sendable {
        /// The user who runs su, or who authenticates to sudo.
        case user(uid: UInt32)
        /// A program that runs as root, such as login at a console, where anyone may type the name.
        case console(UserName)
    }

    private struct Place {
        let invoker: Invoker
        let process: any WatchedProcess
        var pending: (handle: String, signIn: PendingSignIn)?
    }

    private let places = Mutex<[Int32: Place]>([:])

    /// Reserves a place for the process. A new sign-in takes over the place that the process already has.
    func reserve(for invoker: Invoker, in process: any WatchedProcess, at now: BootTime) throws(Denial) {
        try places.withLock { places throws(Denial) in
            places = places.filter { $0.value.process.isAlive && $0.value.pending?.signIn.isAwaited(at: now) ?? true }
            places[process.pid] = nil
            guard places.count < PendingSignIns.limit,
                places.values.count(where: { $0.invoker == invoker }) < PendingSignIns.perInvoker
            else { throw Denial(.tooManyAttempts) }
            places[process.pid] = Place(invoker: invoker, process: process)
        }
    }

    func put(_ signIn: PendingSignIn, under handle: String) {
        places.withLock { $0[signIn.process.pid]?.pending = (handle, signIn) }
    }

    /// The sign-in with that handle in the living process with that pid.
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

    /// Releases the place unless another sign-in has it by now.
    func release(_ signIn: PendingSignIn) {
        places.withLock { places in
            if places[signIn.process.pid]?.pending?.signIn === signIn { places[signIn.process.pid] = nil }
        }
    }

    var count: Int { places.withLock { $0.count } }
}
