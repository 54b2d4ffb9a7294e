// SPDX-License-Identifier: Apache-2.0

package import Identity
package import OpenSSHCertificates

// The ports: what the rules need from outside. Adapters are in Services and System; only the program connects them.

/// Reads the clocks and waits. The only way in which services get the time.
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
    /// `count` random bytes.
    func bytes(_ count: Int) -> [UInt8]
}

extension RandomSource {
    /// A fresh correlation id.
    package func correlationID() -> CorrelationID {
        guard let guid = GUID(random: bytes(16)) else { preconditionFailure("bytes(16) gave another number of bytes") }
        return CorrelationID(guid)
    }
}

/// Knows what this machine is in Azure: from the metadata service, or from the last valid answer on disk.
package protocol MachineSource: Sendable {
    /// The machine as far as it is known now; nil before the first answer ever.
    var current: Machine? { get }
    /// The machine as the metadata service has named it since the daemon's start; waits for that until `deadline`.
    func machine(by deadline: BootTime) async throws(AccessCheckFault) -> Machine
}

/// One question to Azure: both login actions, for one user, on this machine's resource.
package struct AccessQuestion: Sendable {
    package let objectID: ObjectID
    package let machine: Machine
    package let correlation: CorrelationID
    /// When the caller stops waiting; a later answer does not reach it.
    package let deadline: BootTime
    /// Whether the question is retried if no endpoint answers now. Not while no caller waits for it: the next round in
    /// the background is its retry. A caller may begin to wait while it is being asked.
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

/// Azure's answer. There is no role unless login is allowed; the administrators' action alone gives none.
package struct AccessAnswer: Hashable, Sendable {
    package let role: Role?
    /// How long Azure says the answer may be kept (`timeToLiveInMs`); nil if it does not say.
    package let lifetime: Duration?
    /// Which checker answered: `pas`, `arm`, `arm-roleassignments`.
    package let checker: String
    /// Whether the refusal in the answer is confirmed.
    package let confirmation: Confirmation
    /// What Entra says about the account itself; nil if Entra was not asked. A blocked account has no role.
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

    /// The answer for a disabled or deleted account: final, whatever its roles are (P2).
    package init(blocked state: AccountState) {
        self.init(role: nil, lifetime: nil, checker: AccessCheckFault.graph, account: state)
    }
}

/// Asks Azure. The adapter behind it tries the configured endpoints in order.
package protocol AccessChecker: Sendable {
    /// The first answer. If its confirmation is `required`, only what it allows counts (P2).
    func check(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccessAnswer
    /// The same answer after a check of role assignments, until the question's deadline; never `required`.
    func confirm(_ answer: AccessAnswer, to question: AccessQuestion) async -> AccessAnswer
}

/// Asks Entra whether an account is enabled. A fault is never an answer: by itself it neither ends nor gives access.
package protocol AccountChecker: Sendable {
    /// The state of the question's object id, within its deadline.
    func state(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccountState
}

/// Asks Entra which groups a user is in. A fault is never an answer: it neither gives nor ends a membership.
package protocol MembershipChecker: Sendable {
    /// Those of `groups`, each named once, of which the question's object is a member, also through nested groups: all
    /// of them within the question's deadline, or a fault.
    func memberships(
        _ question: AccessQuestion,
        of groups: [ObjectID]
    ) async throws(AccessCheckFault) -> Set<ObjectID>
}

/// Asks Entra for codes that a user types on another device (RFC 8628).
package protocol DeviceAuthority: Sendable {
    /// A fresh code.
    func begin(by deadline: BootTime) async throws(AccessCheckFault) -> any DeviceGrant
}

/// One code. The secret that redeems it is not exposed.
package protocol DeviceGrant: Sendable {
    /// What the user types, and where: printable ASCII, bounded.
    var userCode: String { get }
    var address: String { get }
    var lifetime: Duration { get }
    /// The time between two calls of `redeem`.
    var interval: Duration { get }
    /// Asks once whether the user has finished. A token is accepted only if every rule accepts it.
    func redeem(by deadline: BootTime) async throws(AccessCheckFault) -> DeviceAnswer
}

package enum DeviceAnswer: Hashable, Sendable {
    case pending
    /// Still pending, and the interval grows by five seconds (RFC 8628, 3.5).
    case slowDown
    /// A user signed in: their identity, and their name as Entra spells it.
    case proven(DirectoryIdentity, name: String)
    /// It ended without a sign-in.
    case refused(Denial)
}

/// CA keys of one source (`jwks`, `jwks-common`, `imds`, `file`), as OpenSSH key blobs.
package struct AuthorityKeys: Hashable, Sendable {
    package let keys: [PublicKey]
    /// How long the source says they may be kept, at most a day; nil if it does not say.
    package let lifetime: Duration?

    package init(keys: [PublicKey], lifetime: Duration?) {
        self.keys = keys
        self.lifetime = lifetime
    }
}

package protocol AuthorityKeySource: Sendable {
    /// `jwks`, `jwks-common`, `imds` or `file`.
    var name: String { get }
    /// Fetches the keys now. An answer without a usable key is a fault, never an empty set. `retrying`: a host that
    /// does not answer is asked again; otherwise it is asked once.
    func fetch(by deadline: BootTime, retrying: Bool) async throws(AccessCheckFault) -> AuthorityKeys
}

extension AuthorityKeySource {
    /// With retries, for callers that wait.
    package func fetch(by deadline: BootTime) async throws(AccessCheckFault) -> AuthorityKeys {
        try await fetch(by: deadline, retrying: true)
    }
}

/// What NSS answers about an Entra account's name, or why it does not answer.
package enum AccountStanding: Hashable, Sendable {
    case enrolled(EnrolledAccount)
    /// Never signed in; the record is a pure function of tenant, name, enrolled accounts and local names and ids.
    case provisional(Account)
    /// No answer may be given.
    case none(Denial)
}

/// The account to which a uid of the machine belongs. Only here is a mapped account's uid translated to its account;
/// `Account.systemUID` is the reverse.
package enum UIDHolder: Hashable, Sendable {
    /// Not an Entra account's uid.
    case other
    /// An Entra account's uid, but no account enrolled here has it.
    case nobody
    /// Retired or not.
    case enrolled(EnrolledAccount)

    package var account: EnrolledAccount? {
        guard case .enrolled(let account) = self else { return nil }
        return account
    }
}

/// The accounts at one moment: table, local files, tenant and settings do not change in a view. Mapped accounts have
/// `mappedUID`, and the home and shell of the local files.
package protocol AccountsView: Sendable {
    /// The standing of a name.
    func standing(of name: UserName) -> AccountStanding
    /// The enrolled account with that uid, retired or not.
    func enrolled(uid: UInt32) -> EnrolledAccount?
    /// The enrolled account that has or once had the name, retired or not.
    func enrolled(named name: UserName) -> EnrolledAccount?
    /// Which account has this uid on the machine: one in the id range, or one that a mapped account keeps according to
    /// the local files and root's list.
    func holder(ofSystemUID uid: UInt32) -> UIDHolder
    /// The account with that identity, retired or not.
    func enrolled(as identity: DirectoryIdentity) -> EnrolledAccount?
    /// The entry with that name in root's list of mapped accounts, whether or not the local files agree.
    func listed(_ name: UserName) -> MappedPerson?
    /// The whole name of the account with this short name, enrolled or not; nil for every other text.
    func wholeName(of text: String) -> UserName?
    /// Why the account has its whole name though users of its domain have short ones; nil where it has one, or they do
    /// not.
    func obstacleToShortName(of account: Account) -> String?
    /// The enrolled accounts as they are stored, in the order of enrolment: not for look-ups.
    func allEnrolled() -> [EnrolledAccount]
}

extension AccountsView {
    package func enrolled(as identity: DirectoryIdentity) -> EnrolledAccount? {
        allEnrolled().first { $0.identity == identity }
    }

    /// No account has a short name.
    package func wholeName(of text: String) -> UserName? { nil }

    package func obstacleToShortName(of account: Account) -> String? { nil }
}

/// The table of accounts. Reading never waits; what changes it is durable before it returns.
package protocol AccountRegistry: Sendable {
    associatedtype View: AccountsView
    /// The accounts now; costs three stat(2) calls. A decision uses one view, and takes a new one after it has waited.
    func view() -> View
    /// Binds name, uid, home and identity permanently: on disk, then published, then returned (P14). Enrolling the same
    /// binding again returns it and writes nothing.
    func enrol(_ account: Account, as identity: DirectoryIdentity) async throws(Denial) -> EnrolledAccount
    /// If accounts get subordinate ids, waits until a new account has them, at most two seconds and until `deadline`.
    /// False if it has none by then.
    func awaitSubordinateIDs(of enrolled: EnrolledAccount, by deadline: BootTime) async -> Bool
    /// Another name service has a user with the short name: from now on no new account gets it. Kept only in memory.
    func hold(_ name: ShortName)
}

extension AccountRegistry {
    /// No account gets subordinate ids.
    package func awaitSubordinateIDs(of enrolled: EnrolledAccount, by deadline: BootTime) async -> Bool { true }

    /// No account has a short name.
    package func hold(_ name: ShortName) {}
}

extension Denial: Error {}

/// Memberships of the administrators' group, each with its expiry.
package protocol GrantRegistry: Sendable {
    /// Makes `uid` an administrator until `expiry`, and publishes it before returning.
    func grant(uid: PosixID, until expiry: BootTime) throws(Denial)
    /// Ends the membership of `uid` now; no effect if there is none.
    func withdraw(uid: PosixID)
    /// The grants in force.
    func current() -> [PosixID: BootTime]
    /// Why the last change could not be published; nil while all is well.
    var fault: String? { get }
}

/// Memberships of the Unix groups that stand for Entra groups (`[Groups]`), each with its expiry.
package protocol MembershipRegistry: Sendable {
    /// The Entra groups that are Unix groups here now, each once: the ones to ask Entra about.
    var groups: [ObjectID] { get }
    /// True if one of them has that name here.
    func hasGroup(named name: String) -> Bool
    /// Makes `uid` a member of exactly these groups until `expiry`, and publishes it before returning. A membership
    /// that cannot be published is not given; if one cannot be removed alone, the memberships of all users are removed.
    func set(uid: PosixID, in groups: Set<ObjectID>, until expiry: BootTime)
    /// Removes `uid` from every group that is not one of these; its other memberships keep their expiry.
    func lower(uid: PosixID, to groups: Set<ObjectID>)
    /// The names of the groups that `uid` is in until `time` or longer, sorted.
    func names(of uid: PosixID, until time: BootTime) -> [String]
}

/// When users last signed in over SSH (`MaxSignInAge`). No call waits or fails: lost data shortens an age limit, it
/// never lengthens one.
package protocol SignInRegistry: Sendable {
    func noteSignIn(_ identity: DirectoryIdentity, at time: UnixTime)
    /// The enrolment counts as a sign-in; nil if nothing is known.
    func lastSignIn(_ identity: DirectoryIdentity) -> UnixTime?
    /// The same for an account; if root added it, its enrolment does not count: nil until its user has signed in.
    func knownSignIn(_ enrolled: EnrolledAccount) -> UnixTime?
}

/// A process that can be watched: while it lives, its pid denotes no other process (pidfd).
package protocol WatchedProcess: Sendable {
    var pid: Int32 { get }
    var isAlive: Bool { get }
}

package protocol ProcessWatcher: Sendable {
    /// Nil if there is no such process.
    func watch(pid: Int32) -> (any WatchedProcess)?
    /// True if the login service (logind) still knows a session of `uid`; false if it cannot tell.
    func hasLoginSession(uid: UInt32) -> Bool
}

/// The recorded result of root's integration check: sshd, PAM and the modules are integrated.
package protocol StackStamp: Sendable {
    /// Nil while the result is valid; otherwise why it is not. Cheap enough to ask for every certificate.
    func refusal() -> Denial?
    /// True if, as root's last check found, sudo would keep an administrator's rights after the role's end: then
    /// administrators count as users here. False if there is no such result; then no Entra account can sign in.
    func withholdsAdministrators() -> Bool
}

extension StackStamp {
    package func withholdsAdministrators() -> Bool { false }
}

/// Takes the records of decisions (P15). Never fails, never waits.
package protocol RecordLog: Sendable {
    func record(_ record: DecisionRecord)
}
