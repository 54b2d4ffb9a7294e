// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Glibc
import Identity
import LinuxSystem
import Synchronization
import TestSupport
import Testing

final class FixedClock: TimeSource {
    private let times = Mutex((wall: UnixTime(seconds: 1_700_000_000), boot: BootTime(sinceBoot: .seconds(1_000))))

    func wallTime() -> UnixTime { times.withLock { $0.wall } }
    func bootTime() -> BootTime { times.withLock { $0.boot } }
    func sleep(until time: BootTime) async { pass(bootTime().duration(to: time)) }

    func pass(_ duration: Duration) {
        times.withLock { times in
            times.boot = times.boot.advanced(by: duration)
            times.wall = times.wall.adding(seconds: duration.components.seconds)
        }
    }
}

struct FixedRandom: RandomSource {
    func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x5a, count: count) }
}

final class FakeGrants: GrantRegistry {
    private let grants = Mutex<[PosixID: BootTime]>([:])

    func grant(uid: PosixID, until expiry: BootTime) { grants.withLock { $0[uid] = expiry } }
    func withdraw(uid: PosixID) { grants.withLock { $0[uid] = nil } }
    func current() -> [PosixID: BootTime] { grants.withLock { $0 } }
    var fault: String? { nil }
}

/// The faults of a disk, and a hook at each step, which sees the folder as a kill -9 would leave it.
final class Disk: Sendable {
    private struct State {
        var reached: [String] = []
        var failAt: Int?
        var failing: (path: String, error: Errno)?
        var works = 0
    }

    private let state = Mutex(State())
    private let atEachStep: Mutex<(@Sendable (String) -> Void)?> = Mutex(nil)

    var reached: [String] { state.withLock { $0.reached } }

    /// How often its thread was given something to do.
    var works: Int { state.withLock { $0.works } }

    func run(_ work: @Sendable () -> Void) {
        state.withLock { $0.works += 1 }
        work()
    }

    /// From now on the n-th step (from 0) fails, once.
    func fail(at step: Int?) {
        state.withLock { state in
            state.reached = []
            state.failAt = step
        }
    }

    /// From now on every step on files whose path ends with `path` fails; nil: none.
    func fail(_ path: String?, with error: Errno = .noSpace) {
        state.withLock { state in
            state.reached = []
            state.failing = path.map { ($0, error) }
        }
    }

    func atEachStep(_ look: (@Sendable (String) -> Void)?) { atEachStep.withLock { $0 = look } }

    func file(_ path: String) -> AtomicFile {
        AtomicFile(path, pieceSize: 200) { step throws(Errno) in try self.reach("\(step.rawValue) \(path)", path) }
    }

    private func reach(_ step: String, _ path: String) throws(Errno) {
        atEachStep.withLock { $0 }?(step)
        let error = state.withLock { state -> Errno? in
            state.reached.append(step)
            if let failing = state.failing, path.hasSuffix(failing.path) { return failing.error }
            return state.reached.count - 1 == state.failAt ? .noSpace : nil
        }
        if let error { throw error }
    }
}

/// How often root's program was notified of a change.
final class Announcements: Sendable {
    private let number = Mutex(0)

    var count: Int { number.withLock { $0 } }

    func add() { number.withLock { $0 += 1 } }
}

/// What other name services say of numbers and names.
final class Neighbours: Sendable {
    private let state = Mutex((answers: [UInt32: NumberHolder](), asked: [UInt32]()))
    private let names = Mutex<[String: NumberHolder]>([:])

    var asked: [UInt32] { state.withLock { $0.asked } }

    func say(_ answer: NumberHolder?, of number: UInt32) { state.withLock { $0.answers[number] = answer } }

    func say(_ answer: NumberHolder?, of name: String) { names.withLock { $0[name] = answer } }

    /// The same for a group.
    func say(_ answer: NumberHolder?, named name: String) { names.withLock { $0[name] = answer } }

    func holder(named name: String) -> NumberHolder { names.withLock { $0[name] ?? .nobody } }

    func holder(of number: UInt32) -> NumberHolder {
        state.withLock { state in
            state.asked.append(number)
            return state.answers[number] ?? .nobody
        }
    }
}

let contoso = "9b1c3d5e-0000-4000-8000-000000000001"

func name(_ text: String) throws -> UserName { try #require(UserName(text), "\(text)") }

func identity(_ number: Int, tenant: String = contoso) throws -> DirectoryIdentity {
    let digits = String(number)
    let objectID = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    return DirectoryIdentity(tenant: try #require(TenantID(tenant)), objectID: try #require(ObjectID(objectID)))
}

/// A machine's folder. Each `start` makes an account directory over it, as a restart of the daemon does.
struct Fixture {
    let folder = TemporaryFolder()
    let clock = FixedClock()
    let disk = Disk()
    let grants = FakeGrants()
    let neighbours = Neighbours()
    let announcements = Announcements()

    init() {
        write("root:x:0:0:root:/root:/bin/bash\nlocal:x:1000:1000::/home/local:/bin/bash\n", to: "passwd")
        write("root:x:0:\nlocal:x:1000:\n", to: "group")
    }

    func paths(in folder: String) -> AccountDirectory.Paths {
        var paths = AccountDirectory.Paths()
        paths.store = "\(folder)/accounts"
        paths.snapshot = "\(folder)/accounts.snapshot"
        paths.signIns = "\(folder)/sign-ins"
        paths.passwd = "\(folder)/passwd"
        paths.group = "\(folder)/group"
        paths.mapped = "\(folder)/adopted"
        paths.subuid = "\(folder)/subuid"
        paths.subgid = "\(folder)/subgid"
        paths.root = geteuid()
        return paths
    }

    /// A directory that has been loaded and knows the tenant.
    func start(
        policy: AccountPolicy = AccountPolicy(),
        in other: String? = nil,
        groups: EntraGroups? = nil
    ) -> AccountDirectory {
        let directory = AccountDirectory(
            paths: paths(in: other ?? folder.path),
            policy: policy,
            grants: grants,
            environment: AccountDirectory.Environment(
                clock: clock,
                random: FixedRandom(),
                offload: { work in disk.run(work) },
                file: { disk.file($0) },
                holder: { neighbours.holder(of: $0) },
                nameHolder: { neighbours.holder(named: $0) },
                announceChange: { announcements.add() },
                groups: groups
            )
        )
        directory.load()
        directory.update(tenant: TenantID(contoso))
        return directory
    }

    func write(_ text: String, to file: String) {
        do { try AtomicFile("\(folder.path)/\(file)").replace(with: Array(text.utf8), mode: 0o644) } catch {
            Issue.record(error)
        }
    }

    func bytes(_ file: String) -> [UInt8]? { try? AtomicFile("\(folder.path)/\(file)").read(limit: 1 << 30) }
}

extension AccountDirectory {
    /// The provisional record that sshd would get.
    func provisional(_ text: String) throws -> Account {
        guard case .provisional(let account) = view().standing(of: try name(text)) else {
            throw Denial(.notEnrolled, detail: "\(view().standing(of: try name(text)))")
        }
        return account
    }

    /// Signs a person in as sshd does: the record first, enrolment with it later.
    @discardableResult
    func signIn(_ text: String, as number: Int) async throws -> EnrolledAccount {
        let account: Account
        switch view().standing(of: try name(text)) {
        case .enrolled(let enrolled): account = enrolled.account
        case .provisional(let provisional): account = provisional
        case .none(let denial): throw denial
        }
        return try await enrol(account, as: try identity(number))
    }

    func reason(_ text: String) throws -> DenialReason? {
        guard case .none(let denial) = view().standing(of: try name(text)) else { return nil }
        return denial.reason
    }
}

/// The reason for which `body` is denied; nil where it is not.
func reason(of body: () async throws -> Void) async -> DenialReason? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? Denial)?.reason
    }
}
