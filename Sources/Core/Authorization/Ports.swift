// SPDX-License-Identifier: Apache-2.0

package import Identity
package import OpenSSHCertificates

// The ports: what the rules need of the world. Adapters live in Services and System and meet only in the program.

/// Reads the clocks and waits. The only way that services learn the time.
package protocol TimeSource: Sendable {
    /// CLOCK_REALTIME, whole seconds.
    func wallTime() -> UnixTime
    /// CLOCK_BOOTTIME.
    func bootTime() -> BootTime
    /// Returns at `time` or soon after it, or earlier when the task is cancelled.
    func sleep(until time: BootTime) async
}

/// Starts work that outlives its caller, on the executor of the daemon's loop.
package protocol TaskStarter: Sendable {
    func start(_ operation: @escaping @Sendable () async -> Void)
}

/// Randomness for correlation ids, jitter and hash seeds; not for keys.
package protocol RandomSource: Sendable {
    /// That many random bytes.
    func bytes(_ count: Int) -> [UInt8]
}

extension RandomSource {
    /// A fresh correlation id.
    package func correlationID() -> CorrelationID {
        guard let guid = GUID(random: bytes(16)) else { preconditionFailure("bytes(16) gave another number of bytes") }
        return CorrelationID(guid)
    }
}

/// Knows what this machine is in Azure: from the metadata service, or from the last good answer on disk.
package protocol MachineSource: Sendable {
    /// The machine as far as it is known now; nil before the first answer ever.
    var current: Machine? { get }
    /// The machine as the metadata service has named it since the start; waits for its answer until `deadline`.
    func machine(by deadline: BootTime) async throws(AccessCheckFault) -> Machine
}

/// One question to Azure: both login actions, for one person, on this machine's resource.
package struct AccessQuestion: Sendable {
    package let objectID: ObjectID
    package let machine: Machine
    package let correlation: CorrelationID
    /// When the caller stops waiting; an answer that is later is lost to it.
    package let deadline: BootTime
    /// Whether it is asked again where no endpoint has an answer now. Not while nobody waits for it: the next round in the
    /// background is its retry. Somebody may come to wait while it is asked.
    package let isRetried: @Sendable () -> Bool

    package init(
        objectID: ObjectID,
        machine: Machine,
        correlation: CorrelationID,
        deadline: BootTime,
        isRetried: @escaping @Sendable () -> Bool = { true }
    ) {
        self.objectID = objectID
        self.machine = machine
        self.correlation = correlation
        self.deadline = deadline
        self.isRetried = isRetried
    }
}

/// Azure's answer. No role: both login, or admin without login, were not allowed.
package struct AccessAnswer: Hashable, Sendable {
    package let role: Role?
    /// How long Azure says the answer may be kept (`timeToLiveInMs`); nil where it does not say.
    package let lifetime: Duration?
    /// Which checker answered: `pas`, `arm`, `arm-roleassignments`.
    package let checker: String
    /// Whether what it denies is confirmed.
    package let confirmation: Confirmation
    /// What Entra says of the account itself; nil where it was not asked. Where it is blocked, there is no role.
    package var account: AccountState?

    package init(
        role: Role?,
        lifetime: Duration?,
        checker: String,
        confirmation: Confirmation = .notNeeded,
        account: AccountState? = nil
    ) {
        self.account = account
        self.role = role
        self.lifetime = lifetime
        self.checker = checker
        self.confirmation = confirmation
    }

    /// A disabled or deleted account: final, whatever the roles are (P2).
    package init(blocked state: AccountState) {
        self.init(role: nil, lifetime: nil, checker: AccessCheckFault.graph, account: state)
    }
}

/// Asks Azure. The adapter behind it tries the configured endpoints in order.
package protocol AccessChecker: Sendable {
    /// The first answer. Where its confirmation is `required`, only what it allows counts (P2).
    func check(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccessAnswer
    /// The same answer after role assignments were asked, until the question's deadline: never `required`.
    func confirm(_ answer: AccessAnswer, to question: AccessQuestion) async -> AccessAnswer
}

/// Asks Entra whether an account is enabled. A fault is never an answer: it ends nothing, and lets nobody in by itself.
package protocol AccountChecker: Sendable {
    /// About the question's object id, within its deadline.
    func state(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccountState
}

/// Asks Entra in which groups somebody is. A fault is never an answer: it gives nothing and ends nothing.
package protocol MembershipChecker: Sendable {
    /// Of which of `groups`, each named once, the question's object is a member, nested ones counted: all of it, within
    /// the question's deadline, or a fault.
    func memberships(
        _ question: AccessQuestion,
        of groups: [ObjectID]
    ) async throws(AccessCheckFault) -> Set<ObjectID>
}

/// Asks Entra for codes that a person types on another device (RFC 8628).
package protocol DeviceAuthority: Sendable {
    /// A fresh code.
    func begin(by deadline: BootTime) async throws(AccessCheckFault) -> any DeviceGrant
}

/// One code. What redeems it stays inside.
package protocol DeviceGrant: Sendable {
    /// What the person types, and where: printable ASCII, bounded.
    var userCode: String { get }
    var address: String { get }
    var lifetime: Duration { get }
    /// Between two questions.
    var interval: Duration { get }
    /// Asks once whether the person has finished. A token is believed only after every rule has said yes.
    func redeem(by deadline: BootTime) async throws(AccessCheckFault) -> DeviceAnswer
}

package enum DeviceAnswer: Hashable, Sendable {
    case pending
    /// The same, and the next question must come later by five seconds (RFC 8628, 3.5).
    case slowDown
    /// Somebody signed in: who, and the name that Entra has for them, as it spells it.
    case proven(DirectoryIdentity, name: String)
    /// The end, without a sign-in.
    case refused(Denial)
}

/// CA keys of one source (`jwks`, `jwks-common`, `imds`, `file`), as OpenSSH key blobs.
package struct AuthorityKeys: Hashable, Sendable {
    package let keys: [PublicKey]
    /// How long the source says they may be kept, at most a day; nil where it does not say.
    package let lifetime: Duration?

    package init(keys: [PublicKey], lifetime: Duration?) {
        self.keys = keys
        self.lifetime = lifetime
    }
}

package protocol AuthorityKeySource: Sendable {
    /// `jwks`, `jwks-common`, `imds` or `file`.
    var name: String { get }
    /// Fetches the keys now. An answer without a usable key is a fault, never an empty set. `retrying`: the host is asked
    /// again where it has no answer; otherwise once.
    func fetch(by deadline: BootTime, retrying: Bool) async throws(AccessCheckFault) -> AuthorityKeys
}

extension AuthorityKeySource {
    /// With retries, for those who wait.
    package func fetch(by deadline: BootTime) async throws(AccessCheckFault) -> AuthorityKeys {
        try await fetch(by: deadline, retrying: true)
    }
}

/// What NSS says about an Entra account's name, and why nothing is said.
package enum AccountStanding: Hashable, Sendable {
    case enrolled(EnrolledAccount)
    /// Never signed in; the record is a pure function of tenant, name, enrolled accounts and local names and ids.
    case provisional(Account)
    /// No answer may be given.
    case none(Denial)
}

/// The account to which a uid of the machine belongs. Here alone a mapped account's uid becomes its account; the way back
/// is `Account.systemUID`.
package enum UIDHolder: Hashable, Sendable {
    /// Not an Entra account's.
    case other
    /// An Entra account's, which nobody has enrolled with here.
    case nobody
    /// Retired or not.
    case enrolled(EnrolledAccount)

    package var account: EnrolledAccount? {
        guard case .enrolled(let account) = self else { return nil }
        return account
    }
}

/// The accounts as they are at one moment: table, local files, tenant and settings stand still in it. Mapped accounts come
/// with `mappedUID`, and the home and the shell that the local files have.
package protocol AccountsView: Sendable {
    /// The standing of a name.
    func standing(of name: UserName) -> AccountStanding
    /// The enrolled account with that uid, retired or not.
    func enrolled(uid: UInt32) -> EnrolledAccount?
    /// The enrolled account that has the name or had it once, retired or not.
    func enrolled(named name: UserName) -> EnrolledAccount?
    /// Whose the number is that the machine knows: one of the id range, or one that a mapped account keeps by the local
    /// files and root's list.
    func holder(ofSystemUID uid: UInt32) -> UIDHolder
    /// The account of that person, retired or not.
    func enrolled(as identity: DirectoryIdentity) -> EnrolledAccount?
    /// Who has that name in root's list of mapped accounts, whether or not the local files agree.
    func listed(_ name: UserName) -> MappedPerson?
    /// The name of the account that has this short one, enrolled or not; nil for every other text.
    func wholeName(of text: String) -> UserName?
    /// The enrolled accounts as they are stored, in the order of enrolment: not for finding one.
    func allEnrolled() -> [EnrolledAccount]
}

extension AccountsView {
    package func enrolled(as identity: DirectoryIdentity) -> EnrolledAccount? {
        allEnrolled().first { $0.identity == identity }
    }

    /// Nobody has one.
    package func wholeName(of text: String) -> UserName? { nil }
}

/// The table of accounts. Reading never waits; what changes it is durable before it returns.
package protocol AccountRegistry: Sendable {
    associatedtype View: AccountsView
    /// The accounts now, for three stat(2) calls. A decision rests on one view, and takes another once it has waited.
    func view() -> View
    /// Binds name, uid, home and identity for ever: on disk, then published, then returned (P14). Enrolling the same
    /// binding again returns it and writes nothing.
    func enrol(_ account: Account, as identity: DirectoryIdentity) async throws(Denial) -> EnrolledAccount
    /// Waits, where accounts get subordinate ids, until a new account has them; two seconds and until `deadline` at most. False
    /// where it has none by then.
    func awaitSubordinateIDs(of enrolled: EnrolledAccount, by deadline: BootTime) async -> Bool
    /// Another name service has the short name for somebody: new accounts do without it from now on. Kept in memory alone.
    func hold(_ name: ShortName)
}

extension AccountRegistry {
    /// No account gets any.
    package func awaitSubordinateIDs(of enrolled: EnrolledAccount, by deadline: BootTime) async -> Bool { true }

    /// Nobody has a short name.
    package func hold(_ name: ShortName) {}
}

extension Denial: Error {}

/// Membership of the administrators' group, with its end.
package protocol GrantRegistry: Sendable {
    /// Makes `uid` an administrator until `expiry`, and publishes it before returning.
    func grant(uid: PosixID, until expiry: BootTime) throws(Denial)
    /// Ends it now; no effect where there is none.
    func withdraw(uid: PosixID)
    /// The grants in force.
    func current() -> [PosixID: BootTime]
    /// Why the last change could not be published; nil while all is well.
    var fault: String? { get }
}

/// Unix groups of those who are in an Entra group (`[Groups]`), with the end of each membership.
package protocol MembershipRegistry: Sendable {
    /// The Entra groups that are Unix groups here now, each once: those to ask about.
    var groups: [ObjectID] { get }
    /// One of them has that name here.
    func hasGroup(named name: String) -> Bool
    /// Puts `uid` into these groups alone until `expiry`, and publishes it before returning. What cannot be published
    /// is given to nobody, and what cannot be taken away by itself is taken from everybody.
    func set(uid: PosixID, in groups: Set<ObjectID>, until expiry: BootTime)
    /// Takes `uid` out of every group that is not one of these; the others keep their end.
    func lower(uid: PosixID, to groups: Set<ObjectID>)
    /// The names of the groups that `uid` is in until `time` or longer, sorted.
    func names(of uid: PosixID, until time: BootTime) -> [String]
}

/// When people last signed in over SSH (`MaxSignInAge`). Neither call waits or fails: what is lost shortens an age
/// limit, it never lengthens one.
package protocol SignInRegistry: Sendable {
    func noteSignIn(_ identity: DirectoryIdentity, at time: UnixTime)
    /// The enrolment counts as a sign-in; nil where nothing is known.
    func lastSignIn(_ identity: DirectoryIdentity) -> UnixTime?
    /// The same of an account, but that of one which root added the enrolment does not count: nil until its person has come.
    func knownSignIn(_ enrolled: EnrolledAccount) -> UnixTime?
}

/// A process that can be watched: its number means this very process for as long as it lives (pidfd).
package protocol WatchedProcess: Sendable {
    var pid: Int32 { get }
    var isAlive: Bool { get }
}

package protocol ProcessWatcher: Sendable {
    /// Nil where no such process lives.
    func watch(pid: Int32) -> (any WatchedProcess)?
    /// True where the login service still knows a session of `uid` (logind); false where it cannot say.
    func hasLoginSession(uid: UInt32) -> Bool
}

/// Root's proof that sshd, PAM and the modules are wired (the stack stamp).
package protocol StackStamp: Sendable {
    /// Nil while it holds; otherwise why not. Cheap enough to ask at every certificate.
    func refusal() -> Denial?
    /// True where sudo would keep what an administrator's role gave after the role's end, as root's last check found: then
    /// administrators are users here. False where there is no such proof; then nobody signs in.
    func withholdsAdministrators() -> Bool
}

extension StackStamp {
    package func withholdsAdministrators() -> Bool { false }
}

/// Takes the records of decisions (P15). Never fails, never waits.
package protocol RecordLog: Sendable {
    func record(_ record: DecisionRecord)
}
