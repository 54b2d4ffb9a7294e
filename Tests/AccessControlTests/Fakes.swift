// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import ByteCoding
import Identity
import OpenSSHCertificates
import Synchronization

/// Answers as a test scripted it, and remembers what it was asked.
final class ScriptedChecker: AccessChecker {
    enum Line: Sendable {
        case answer(AccessAnswer)
        case fault(AccessCheckFault)
        /// Waits until `release`.
        case held
    }

    let questions = Watched<[AccessQuestion]>([])
    private let lines = Mutex<[ObjectID: Line]>([:])
    /// What role assignments say; without a line, they agree.
    let confirmations = Watched<[AccessQuestion]>([])
    private let confirmationLines = Mutex<[ObjectID: Line]>([:])
    private let released = Watched<[CorrelationID: Line]>([:])

    func script(_ objectID: ObjectID, _ line: Line) { lines.withLock { $0[objectID] = line } }

    func script(_ objectID: ObjectID, role: Role?, lifetime: Duration? = nil) {
        script(objectID, .answer(AccessAnswer(role: role, lifetime: lifetime, checker: "pas")))
    }

    /// An unconfirmed answer, which role assignments may raise.
    func script(_ objectID: ObjectID, unconfirmed role: Role?) {
        let answer = AccessAnswer(
            role: role,
            lifetime: nil,
            checker: "pas",
            confirmation: .required(upTo: .administrator)
        )
        script(objectID, .answer(answer))
    }

    func scriptConfirmation(_ objectID: ObjectID, _ line: Line) { confirmationLines.withLock { $0[objectID] = line } }

    /// A scripted answer is the combined one.
    func confirm(_ answer: AccessAnswer, to question: AccessQuestion) async -> AccessAnswer {
        confirmations.update { $0.append(question) }
        var line = confirmationLines.withLock { $0[question.objectID] }
        if case .held = line {
            await released.wait { $0[question.correlation] != nil }
            line = released.value[question.correlation]
        }
        switch line {
        case .answer(let combined): return combined
        case .fault(let fault): return answer.confirmed(.unanswered(fault))
        case .held, nil: return answer.confirmed(.agreed)
        }
    }

    /// Ends a question that is held.
    func release(_ question: AccessQuestion, _ line: Line) { released.update { $0[question.correlation] = line } }

    func check(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccessAnswer {
        questions.update { $0.append(question) }
        var line =
            lines.withLock { $0[question.objectID] } ?? .answer(AccessAnswer(role: nil, lifetime: nil, checker: "pas"))
        if case .held = line {
            await released.wait { $0[question.correlation] != nil }
            line = released.value[question.correlation] ?? .held
        }
        switch line {
        case .answer(let answer): return answer
        case .fault(let fault): throw fault
        case .held: throw AccessCheckFault(.unreachable, detail: "held for ever")
        }
    }
}

final class FakeMachines: MachineSource {
    private let machine: Mutex<Machine?>
    private let later = Watched<Machine?>(nil)

    init(_ machine: Machine?) { self.machine = Mutex(machine) }

    var current: Machine? { machine.withLock { $0 } }

    func set(_ new: Machine?) { machine.withLock { $0 = new } }

    func machine(by deadline: BootTime) async throws(AccessCheckFault) -> Machine {
        guard let machine = current else { throw AccessCheckFault(.machineUnknown, detail: "no answer yet") }
        return machine
    }
}

/// A table of accounts in memory.
final class FakeAccounts: AccountRegistry, SignInRegistry {
    struct State: Sendable {
        var standings: [UserName: AccountStanding] = [:]
        var enrolRefusal: Denial?
        var enrolAnswer: EnrolledAccount?
        var enrolCalls = 0
        var signIns: [DirectoryIdentity: UnixTime] = [:]
        var listed: [UserName: MappedPerson] = [:]
        var held: [ShortName] = []
        var obstacles: [UserName: String] = [:]
        /// The result of each wait for a new account's subordinate ids, and the deadlines of these waits.
        var hasSubordinateIDs = true
        var waitsForSubordinateIDs: [BootTime] = []
    }

    let state = Mutex(State())
    /// While it is true, `enrol` waits.
    let isHeld = Watched(false)
    let enrolBegan = Watched(0)

    /// How often `view` was called.
    let views = Watched(0)

    func view() -> FakeView {
        views.update { $0 += 1 }
        return FakeView(state: state.withLock { $0 })
    }

    var held: [ShortName] { state.withLock { $0.held } }

    func hold(_ name: ShortName) { state.withLock { $0.held.append(name) } }

    func awaitSubordinateIDs(of enrolled: EnrolledAccount, by deadline: BootTime) async -> Bool {
        state.withLock { state in
            state.waitsForSubordinateIDs.append(deadline)
            return state.hasSubordinateIDs
        }
    }

    func enrol(_ account: Account, as identity: DirectoryIdentity) async throws(Denial) -> EnrolledAccount {
        enrolBegan.update { $0 += 1 }
        await isHeld.wait { !$0 }
        return try state.withLock { state throws(Denial) in
            state.enrolCalls += 1
            if let refusal = state.enrolRefusal { throw refusal }
            if let answer = state.enrolAnswer { return answer }
            if case .enrolled(let enrolled) = state.standings[account.name] {
                guard enrolled.identity == identity else { throw Denial(.objectIDChanged) }
                return enrolled
            }
            let enrolled = EnrolledAccount(
                account: account,
                identity: identity,
                enrolledAt: UnixTime(seconds: 1_800_000_000)
            )
            state.standings[account.name] = .enrolled(enrolled)
            return enrolled
        }
    }

    func noteSignIn(_ identity: DirectoryIdentity, at time: UnixTime) { state.withLock { $0.signIns[identity] = time } }

    func lastSignIn(_ identity: DirectoryIdentity) -> UnixTime? { state.withLock { $0.signIns[identity] } }

    func knownSignIn(_ enrolled: EnrolledAccount) -> UnixTime? { lastSignIn(enrolled.identity) }

    /// Sets why the account has no short name.
    func hinder(_ name: UserName, _ obstacle: String) { state.withLock { $0.obstacles[name] = obstacle } }

    func set(_ name: UserName, _ standing: AccountStanding) { state.withLock { $0.standings[name] = standing } }
}

struct FakeView: AccountsView {
    let state: FakeAccounts.State

    func standing(of name: UserName) -> AccountStanding {
        state.standings[name] ?? .none(Denial(.domainNotAllowed))
    }

    func enrolled(uid: UInt32) -> EnrolledAccount? { allEnrolled().first { $0.account.uid.number == uid } }

    func enrolled(named name: UserName) -> EnrolledAccount? {
        allEnrolled().first { $0.account.name == name || $0.formerNames.contains(name) }
    }

    func holder(ofSystemUID uid: UInt32) -> UIDHolder {
        if let mapped = state.listed.values.first(where: { $0.uid == uid }) {
            guard let account = enrolled(named: mapped.name), account.account.mappedUID == uid else { return .nobody }
            return .enrolled(account)
        }
        if let account = enrolled(uid: uid) { return .enrolled(account) }
        return PosixID(user: uid) == nil ? .other : .nobody
    }

    func listed(_ name: UserName) -> MappedPerson? { state.listed[name] }

    func obstacleToShortName(of account: Account) -> String? { state.obstacles[account.name] }

    func allEnrolled() -> [EnrolledAccount] {
        state.standings.values.compactMap { standing in
            guard case .enrolled(let enrolled) = standing else { return nil }
            return enrolled
        }
    }
}

final class FakeGrants: GrantRegistry {
    private struct State {
        var grants: [PosixID: BootTime] = [:]
        var refusal: Denial?
        var granted = 0
        var withdrawn = 0
        var beforeWithdrawal: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// The action runs once: in the next withdrawal, before the grant is gone.
    func beforeNextWithdrawal(_ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.beforeWithdrawal = action }
    }

    func grant(uid: PosixID, until expiry: BootTime) throws(Denial) {
        try state.withLock { state throws(Denial) in
            if let refusal = state.refusal { throw refusal }
            state.grants[uid] = expiry
            state.granted += 1
        }
    }

    func withdraw(uid: PosixID) {
        let action = state.withLock { state in
            defer { state.beforeWithdrawal = nil }
            return state.beforeWithdrawal
        }
        action?()
        state.withLock { state in
            state.grants[uid] = nil
            state.withdrawn += 1
        }
    }

    func current() -> [PosixID: BootTime] { state.withLock { $0.grants } }

    var fault: String? { state.withLock { $0.refusal?.detail } }

    func refuse(_ denial: Denial?) { state.withLock { $0.refusal = denial } }

    var grantCount: Int { state.withLock { $0.granted } }
}

/// Processes that live and die as a test says.
final class FakeProcesses: ProcessWatcher {
    final class Process: WatchedProcess {
        let pid: Int32
        private let alive = Mutex(true)

        init(_ pid: Int32) { self.pid = pid }

        var isAlive: Bool { alive.withLock { $0 } }

        func die() { alive.withLock { $0 = false } }
    }

    private struct State {
        var processes: [Int32: Process] = [:]
        var sessions: Set<UInt32> = []
        var gone: Set<Int32> = []
    }

    private let state = Mutex(State())

    func watch(pid: Int32) -> (any WatchedProcess)? {
        state.withLock { state in
            guard !state.gone.contains(pid) else { return nil }
            if let process = state.processes[pid], process.isAlive { return process }
            let process = Process(pid)
            state.processes[pid] = process
            return process
        }
    }

    func hasLoginSession(uid: UInt32) -> Bool { state.withLock { $0.sessions.contains(uid) } }

    func setLoginSession(_ uid: UInt32, _ has: Bool) {
        state.withLock { state in
            if has { state.sessions.insert(uid) } else { state.sessions.remove(uid) }
        }
    }

    /// The process dies, and no process has its pid.
    func kill(_ pid: Int32) {
        state.withLock { state in
            state.processes[pid]?.die()
            state.gone.insert(pid)
        }
    }

    /// The process dies, and another process gets its pid.
    func reuse(_ pid: Int32) {
        state.withLock { state in
            state.processes[pid]?.die()
            state.processes[pid] = nil
        }
    }
}

final class FakeStamp: StackStamp {
    private let denial = Mutex<Denial?>(nil)
    private let withheld = Mutex(false)

    func withholdsAdministrators() -> Bool { withheld.withLock { $0 } }

    func withhold(_ isOn: Bool) { withheld.withLock { $0 = isOn } }

    func refusal() -> Denial? { denial.withLock { $0 } }

    func set(_ new: Denial?) { denial.withLock { $0 = new } }
}

struct TakesEverySignature: SignatureVerifier {
    func isValid(_: Signature, over _: ArraySlice<UInt8>, by _: PublicKey) -> Bool { true }
}

/// The administrator's revocation list, which the test writes.
final class FakeRevocation: RevocationSource {
    private struct State {
        var reading = RevocationReading.none
        var revision = 0
    }

    private let state = Mutex(State())

    func read() -> RevocationReading { state.withLock { $0.reading } }

    /// A plain list of these keys.
    func revoke(_ keys: [PublicKey]) throws {
        let list = try KeyRevocationList(parsing: Array(keys.map(\.line).joined(separator: "\n").utf8))
        state.withLock { state in
            state.revision += 1
            state.reading = .list(list, revision: state.revision)
        }
    }

    func spoil(_ fault: String) { state.withLock { $0.reading = .unusable(fault) } }
}

final class RecordBook: RecordLog {
    let records = Watched<[DecisionRecord]>([])

    func record(_ record: DecisionRecord) { records.update { $0.append(record) } }

    func of(_ event: RecordedEvent) -> [DecisionRecord] { records.value.filter { $0.event == event } }
}

/// Gives the answer that the test set last.
final class FakeKeySource: AuthorityKeySource {
    let name: String
    let fetches = Watched(0)
    /// For each fetch: whether it may ask again if the host does not answer.
    let retries = Watched<[Bool]>([])
    private let isHeld = Watched(false)
    private let answer: Mutex<Result<AuthorityKeys, AccessCheckFault>>

    init(_ name: String, _ keys: [PublicKey], lifetime: Duration? = nil) {
        self.name = name
        answer = Mutex(.success(AuthorityKeys(keys: keys, lifetime: lifetime)))
    }

    func set(_ keys: [PublicKey], lifetime: Duration? = nil) {
        answer.withLock { $0 = .success(AuthorityKeys(keys: keys, lifetime: lifetime)) }
    }

    func fail(_ fault: AccessCheckFault) { answer.withLock { $0 = .failure(fault) } }

    /// Fetches wait while it is held.
    func hold(_ holds: Bool) { isHeld.update { $0 = holds } }

    func fetch(by deadline: BootTime, retrying: Bool) async throws(AccessCheckFault) -> AuthorityKeys {
        fetches.update { $0 += 1 }
        retries.update { $0.append(retrying) }
        await isHeld.wait { !$0 }
        return try answer.withLock { $0 }.get()
    }
}

/// `trusted_user_ca_keys` in memory, on a disk that can be full.
final class FakeKeyFile: Sendable {
    struct Full: Error {}

    let content = Watched<[[UInt8]]>([])
    private let isFull = Mutex(false)

    func replace(_ bytes: [UInt8]) throws {
        if isFull.withLock({ $0 }) { throw Full() }
        content.update { $0.append(bytes) }
    }

    func fill(_ full: Bool) { isFull.withLock { $0 = full } }

    var text: String { String(decoding: content.value.last ?? [], as: UTF8.self) }
}

extension AccessAnswer {
    func confirmed(_ confirmation: Confirmation, role: Role? = nil) -> AccessAnswer {
        AccessAnswer(role: role ?? self.role, lifetime: lifetime, checker: checker, confirmation: confirmation)
    }
}
