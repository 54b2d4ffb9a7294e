// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import LinuxSystem
internal import Synchronization

/// The table of accounts: durable, published and permanent (P5, P14).
///
/// A read takes a lock briefly and never waits for the disk, except for /etc/passwd and /etc/group where they have
/// changed. Changes of the table run one after the other: decided anew, on disk, then in memory, then published.
package final class AccountDirectory: AccountRegistry, SignInRegistry {
    /// The paths of the files.
    package struct Paths: Hashable, Sendable {
        package var store = "/var/lib/entralogin/accounts"
        package var snapshot = "/var/lib/entralogin/nss/accounts.snapshot"
        package var signIns = "/var/lib/entralogin/sign-ins"
        package var passwd = "/etc/passwd"
        package var group = "/etc/group"
        package var mapped = MappingList.path
        package var subuid = SubordinateIDPlan.userFile
        package var subgid = SubordinateIDPlan.groupFile
        /// The uid that must own the list of mapped accounts: 0, except in tests that run without privileges.
        package var root: UInt32 = 0

        package init() {}
    }

    /// What the directory needs from its environment.
    package struct Environment: Sendable {
        package var clock: any TimeSource
        package var random: any RandomSource
        package var offload: Offload
        /// Makes the files; tests pass files that fail.
        package var file: @Sendable (String) -> AtomicFile
        /// Who else has a number, as a user or as a group. Waits for other directories, off the loop, with a deadline.
        package var holder: @Sendable (UInt32) async -> NumberHolder
        /// The same for a name, whole or short.
        package var nameHolder: @Sendable (String) async -> NumberHolder
        /// Tells root's program that the accounts have changed, if it is to give them subordinate ids. Off the loop.
        package var announceChange: @Sendable () -> Void
        /// Nil where no Entra group is a Unix group.
        package var groups: EntraGroups?

        package init(
            clock: any TimeSource,
            random: any RandomSource,
            offload: @escaping Offload,
            file: @escaping @Sendable (String) -> AtomicFile = { AtomicFile($0) },
            holder: @escaping @Sendable (UInt32) async -> NumberHolder,
            nameHolder: @escaping @Sendable (String) async -> NumberHolder,
            announceChange: @escaping @Sendable () -> Void = {},
            groups: EntraGroups? = nil
        ) {
            self.groups = groups
            self.announceChange = announceChange
            self.clock = clock
            self.random = random
            self.offload = offload
            self.file = file
            self.holder = holder
            self.nameHolder = nameHolder
        }
    }

    typealias State = CurrentAccounts.State

    let environment: Environment
    let paths: Paths
    let store: AccountStore
    let publisher: SnapshotPublisher
    let locals: LocalFiles
    let grants: any GrantRegistry
    let signIns: SignInTimes
    let state: Mutex<State>
    let lock = Mutex<FolderLock?>(nil)
    /// The local files as the last refresh found them.
    private let refreshed = Mutex<LocalFiles.Stamps?>(nil)
    private let turn = WriteTurn()

    /// Reads nothing yet: see `load()`. Until then every user is refused.
    package init(paths: Paths, policy: AccountPolicy, grants: any GrantRegistry, environment: Environment) {
        self.environment = environment
        self.paths = paths
        self.grants = grants
        store = AccountStore(environment.file(paths.store))
        publisher = SnapshotPublisher(environment.file(paths.snapshot))
        locals = LocalFiles(passwd: paths.passwd, group: paths.group, mapped: paths.mapped, root: paths.root)
        signIns = SignInTimes(environment.file(paths.signIns))
        let fault = StoreFault(path: paths.store, line: nil, problem: "not read yet", remedy: "Wait a moment")
        state = Mutex(State(policy: policy, fault: fault))
    }

    /// Reads the local users and groups from these paths, again where they have changed; nil where they are unreadable.
    package static func localAccounts(_ paths: Paths) -> @Sendable () -> LocalAccounts? {
        let files = LocalFiles(passwd: paths.passwd, group: paths.group, mapped: paths.mapped, root: paths.root)
        return {
            do throws(FileError) { return try files.current() } catch { return nil }
        }
    }

    // MARK: Reading

    package func view() -> CurrentAccounts {
        let local = localAccounts()
        return CurrentAccounts(state: state.withLock { $0 }, local: local)
    }

    /// The whole name of the account with this short name; any other text as it is, at no cost without short names.
    package func wholeName(of text: String) -> String {
        guard state.withLock({ $0.policy.shortNameDomain != nil }), ShortName(text) != nil else { return text }
        return view().wholeName(of: text)?.text ?? text
    }

    /// The name that the settings give it now.
    package var administratorsGroupName: String { state.withLock { $0.policy.administratorsGroupName } }

    /// When the user last signed in; the time of enrolment where that is not known any more.
    package func lastSignIn(_ identity: DirectoryIdentity) -> UnixTime? {
        let enrolledAt = state.withLock { $0.table.account(of: identity)?.enrolledAt }
        return [signIns[identity], enrolledAt].compactMap(\.self).max()
    }

    /// Nil for an account that root added and whose user is not known to have signed in.
    package func knownSignIn(_ enrolled: EnrolledAccount) -> UnixTime? {
        let last = signIns[enrolled.identity]
        return enrolled.isAdded ? last : [last, enrolled.enrolledAt].compactMap(\.self).max()
    }

    /// Remembers a sign-in, in memory; never waits and never fails.
    package func noteSignIn(_ identity: DirectoryIdentity, at time: UnixTime) { signIns.note(identity, at: time) }

    // MARK: Changing

    package func enrol(
        _ account: Account,
        as identity: DirectoryIdentity
    ) async throws(Denial) -> EnrolledAccount {
        // For an account that was published once, nothing is written and no disk is waited for: a disk that is full or
        // hangs locks no enrolled user out (P14).
        let now = view()
        if let enrolled = try now.settled(account, as: identity) { return enrolled }
        if now.enrolled(uid: account.uid.number) == nil {
            try await checkNobodyHas(account.uid, for: account)
            try await checkNobodyIsCalled(account)
        }
        return try await changing { directory throws(Denial) in try directory.enrolNow(account, as: identity) }
    }

    /// Retires an account: its name is no longer answered, its grant ends, its uid is never given to another account.
    /// Retiring it again changes nothing. `notEnrolled` where there is no such account.
    package func retire(_ name: UserName) async throws(Denial) -> EnrolledAccount {
        try await changing { directory throws(Denial) in try directory.retireNow(name) }
    }

    /// Locks or unlocks an account. A locked account is refused and its grant ends, but it keeps its name, uid and
    /// home, and the name service knows it. Repeating either changes nothing.
    package func lock(_ name: UserName, _ isLocked: Bool) async throws(Denial) -> EnrolledAccount {
        try await changing { directory throws(Denial) in try directory.lockNow(name, isLocked: isLocked) }
    }

    /// Binds an account, retired or not, to another object of the machine's tenant: the administrator vouches that it
    /// is the same user, deleted and made anew in Entra. With its own object, a retired account comes back. Its grant
    /// ends, and the object's next sign-in earns another.
    package func rebind(_ name: UserName, to objectID: ObjectID) async throws(Denial) -> EnrolledAccount {
        try await changing { directory throws(Denial) in try directory.rebindNow(name, to: objectID) }
    }

    /// Gives an account the new name that its user has in Entra; uid, home and object id stay, and the old name stays
    /// refused to all other users. A renamed user who signs in with the new name does not need this.
    package func rename(_ name: UserName, to new: UserName) async throws(Denial) -> EnrolledAccount {
        try await changing { directory throws(Denial) in try directory.renameNow(name, to: new) }
    }

    /// Gives an account the short form of its whole name (`ShortNames=`) where no other user here has it: uid, home and
    /// object id stay, and the whole name still leads to the account.
    package func shorten(_ name: UserName) async throws(Denial) -> EnrolledAccount {
        // Other directories are asked only about a name that nothing on this machine has: shortenNow reports obstacles.
        let now = view()
        if let known = now.enrolled(named: name)?.account, let short = try now.rules().shortName(for: name).name {
            let called = Account(
                name: name,
                uid: known.uid,
                displayName: "",
                home: known.home,
                shell: known.shell,
                shortName: short
            )
            do throws(Denial) { try await checkNobodyIsCalled(called) } catch {
                guard error.reason == .numberTaken else { throw error }
            }
        }
        return try await changing { directory throws(Denial) in try directory.shortenNow(name) }
    }

    /// Gives an account another login shell: an absolute path that is valid in passwd(5).
    package func set(shell: String, of name: UserName) async throws(Denial) -> EnrolledAccount {
        try await changing { directory throws(Denial) in try directory.setNow(name, shell: shell) }
    }

    /// Gives an account another home, which must not be another account's, here or in the local files. Nothing is
    /// moved; the user can sign in only if that folder is theirs or does not exist yet (P7).
    package func set(home: String, of name: UserName) async throws(Denial) -> EnrolledAccount {
        try await changing { directory throws(Denial) in try directory.setNow(name, home: home) }
    }

    /// Publishes again where the local files or an earlier failure make it necessary, and reads the store again where
    /// it was bad. To be called regularly, and with the new policy when the settings are reloaded. Returns the report,
    /// which looks at every account: it is made off the loop, like the rest.
    @discardableResult
    package func refresh(policy: AccountPolicy? = nil) async -> AccountReport {
        let report = try? await changing { directory throws(Denial) in
            // Taken before the files are read.
            let stamps = try? directory.locals.stamps()
            directory.refreshed.withLock { $0 = stamps }
            if let policy { directory.state.withLock { $0.policy = policy } }
            if directory.state.withLock({ $0.fault != nil }) { directory.loadStore() }
            _ = directory.publishIfNeeded()
            if policy != nil { directory.announceChange() }
            return directory.report()
        }
        return report ?? self.report()
    }

    /// True where a refresh has something to do, or sign-in times wait to be written: four stat(2) calls.
    package var hasNews: Bool {
        if state.withLock({ $0.fault != nil || $0.publicationWarning != nil }) || signIns.isDirty { return true }
        guard publisher.isInPlace else { return true }
        guard let stamps = try? locals.stamps() else { return true }
        return refreshed.withLock { $0 != stamps }
    }

    /// Sets the tenant whose names are answered; nil while it is not known.
    package func update(tenant: TenantID?) { state.withLock { $0.tenant = tenant } }

    /// Writes the new sign-in times. A failure shows only in the report.
    package func flushSignIns() async {
        _ = try? await changing { directory throws(Denial) in directory.signIns.flush() }
    }

    /// Runs `work` off the loop, one change at a time.
    func changing<Value: Sendable>(
        _ work: @escaping @Sendable (AccountDirectory) throws(Denial) -> Value
    ) async throws(Denial) -> Value {
        await turn.take()
        defer { turn.pass() }
        let outcome = Outcome<Value>()
        await environment.offload { outcome.set(Result { () throws(Denial) in try work(self) }) }
        return try outcome.get().get()
    }

    func localAccounts() -> Result<LocalAccounts, Denial> {
        do throws(FileError) { return .success(try locals.current()) } catch {
            let text = "This machine cannot read its local accounts"
            return .failure(Denial(.storeUnreadable, text: text, detail: "\(error)"))
        }
    }
}

/// Carries a result out of work that was done elsewhere.
private final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, Denial>?>(nil)

    func set(_ new: Result<Value, Denial>) { result.withLock { $0 = new } }

    func get() -> Result<Value, Denial> {
        result.withLock { $0 } ?? .failure(Denial(.enrolmentFailed, detail: "the disk's worker is stopping"))
    }
}
