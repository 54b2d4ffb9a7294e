// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import LinuxSystem
internal import Synchronization

// The changes, which run one at a time and off the loop. All of them block on the disk.

extension AccountDirectory {
    /// Decides by the present state, not by the state when sshd asked (P6).
    func enrolNow(_ account: Account, as identity: DirectoryIdentity) throws(Denial) -> EnrolledAccount {
        let now = view()
        let (state, local) = (now.state, try now.local.get())
        switch now.standing(of: account.name) {
        case .none(let denial): throw denial
        case .enrolled(let enrolled): return try reenrol(enrolled, account, as: identity)
        case .provisional(let expected):
            guard let tenant = state.tenant, identity.tenant == tenant else {
                throw Denial(.wrongTenant, detail: "\(identity.tenant) is not the machine's tenant")
            }
            try checkList(local, account.name, identity)
            if let enrolled = state.table.account(of: identity) { throw try rename(enrolled, to: account.name, state) }
            guard account.uid == expected.uid, account.mappedUID == expected.mappedUID, account.home == expected.home,
                account.shortName == expected.shortName
            else {
                throw Denial(.recordChanged, detail: "sshd has uid \(account.uid), now it would be \(expected.uid)")
            }
            return try enrolNew(expected, displayName: account.displayName, as: identity)
        }
    }

    private func reenrol(
        _ enrolled: EnrolledAccount,
        _ account: Account,
        as identity: DirectoryIdentity
    ) throws(Denial) -> EnrolledAccount {
        try CurrentAccounts.check(enrolled, account, as: identity)
        try publishStrictly()
        return enrolled
    }

    /// Throws where root's list of mapped accounts has the name for another object, or the object under another name.
    func checkList(_ local: LocalAccounts, _ name: UserName, _ identity: DirectoryIdentity) throws(Denial) {
        let listed = [local.listed(named: name), local.listed(identity.objectID)].compactMap(\.self)
        for person in listed where person.name != name || person.objectID != identity.objectID {
            throw Denial(identity, isNot: person)
        }
    }

    /// Binds a name that has no account yet, as the standing rules gave it; `isAdded`: root added it.
    func enrolNew(
        _ account: Account,
        displayName: String = "",
        as identity: DirectoryIdentity,
        isAdded: Bool = false
    ) throws(Denial) -> EnrolledAccount {
        let enrolled = EnrolledAccount(
            account: Account(
                name: account.name,
                uid: account.uid,
                displayName: DisplayName.cleaned(displayName),
                home: account.home,
                shell: account.shell,
                shortName: account.shortName
            ),
            identity: identity,
            enrolledAt: environment.clock.wallTime(),
            isAdded: isAdded
        )
        // A line that the strict reader would refuse must never be written: it would lock every user out.
        guard StoreFormat.account(from: StoreFormat.line(of: enrolled)[...]) == enrolled else {
            throw Denial(.enrolmentFailed, detail: "the shell \(account.shell) cannot stand in the account store")
        }
        let add = { (table: AccountTable) throws(AccountConflict) in try table.adding(enrolled) }
        try commit(add, unpublished: enrolled.account.uid)
        return view().asSystemHasIt(enrolled)
    }

    /// The user comes with a new name, so sshd holds a record that is not the account's. The account takes the new
    /// name, and the next sign-in finds it; this one is refused (P6).
    private func rename(_ enrolled: EnrolledAccount, to name: UserName, _ state: State) throws(Denial) -> Denial {
        guard enrolled.retiredAt == nil else {
            return Denial(retired: enrolled)
        }
        guard enrolled.lockedAt == nil else { return Denial(locked: enrolled) }
        let old = enrolled.account
        let keepsShortName = try keepsShortName(enrolled, as: name)
        try commit { table throws(AccountConflict) in
            let renamed = try table.renaming(enrolled.identity, to: name)
            return keepsShortName ? try renamed.shortening(name) : renamed
        }
        return Denial(
            .accountRenamed,
            text: "Your account \(old.name) has got your new name \(name): please sign in again",
            detail: "uid \(old.uid) was \(old.name) before"
        )
    }

    /// Whether an account that has a short name gets the short form of its new name.
    private func keepsShortName(_ enrolled: EnrolledAccount, as name: UserName) throws(Denial) -> Bool {
        guard enrolled.account.shortName != nil else { return false }
        let short = ShortName(name.localPart)
        let holder = short.flatMap { view().state.table.account(called: $0) }
        return try view().rules().shortName(for: name).name != nil
            || (short != nil && holder?.identity == enrolled.identity)
    }

    /// Gives an account its short name; where that is not free, says why.
    func shortenNow(_ name: UserName) throws(Denial) -> EnrolledAccount {
        let account = try account(toChange: name)
        try checkRecord(of: name)
        guard account.account.shortName == nil else { return try unchanged(account) }
        let found = try view().rules().shortName(for: name)
        guard found.name != nil else {
            throw Denial(.unsupported, detail: found.obstacle ?? "ShortNames= has another domain than \(name), or none")
        }
        // The user is the same as before, so the grant stays.
        try commit { table throws(AccountConflict) in try table.shortening(name) }
        return try changed(account)
    }

    func retireNow(_ name: UserName) throws(Denial) -> EnrolledAccount {
        let account = try account(toChange: name)
        let now = environment.clock.wallTime()
        guard account.retiredAt == nil else { return try unchanged(account) }
        return try commit(to: account) { table throws(AccountConflict) in try table.retiring(name, at: now) }
    }

    /// Locking ends the grant, as `retireNow` does; unlocking does not give it back: the next sign-in earns one.
    func lockNow(_ name: UserName, isLocked: Bool) throws(Denial) -> EnrolledAccount {
        let account = try account(toChange: name)
        guard account.retiredAt != nil || (account.lockedAt != nil) != isLocked else { return try unchanged(account) }
        let time = isLocked ? environment.clock.wallTime() : nil
        return try commit(to: account) { table throws(AccountConflict) in try table.locking(name, at: time) }
    }

    func rebindNow(_ name: UserName, to objectID: ObjectID) throws(Denial) -> EnrolledAccount {
        let account = try account(toChange: name)
        guard let tenant = state.withLock({ $0.tenant }) else {
            throw Denial(.machineUnknown, detail: "the machine's tenant is not known yet")
        }
        let identity = DirectoryIdentity(tenant: tenant, objectID: objectID)
        guard account.retiredAt != nil || account.identity != identity else { return try unchanged(account) }
        return try commit(to: account) { table throws(AccountConflict) in try table.rebinding(name, to: identity) }
    }

    func renameNow(_ name: UserName, to new: UserName) throws(Denial) -> EnrolledAccount {
        let account = try account(toChange: name)
        try checkRecord(of: name)
        guard account.account.name != new else { return try unchanged(account) }
        if let refusal = try view().rules().refusal(of: new) { throw refusal }
        // The user is the same as before, so the grant stays.
        let keepsShortName = try keepsShortName(account, as: new)
        try commit { table throws(AccountConflict) in
            let renamed = try table.renaming(account.identity, to: new)
            return keepsShortName ? try renamed.shortening(new) : renamed
        }
        return try changed(account)
    }

    func setNow(_ name: UserName, shell: String) throws(Denial) -> EnrolledAccount {
        guard StoreFormat.isAcceptable(shell: shell) else {
            throw Denial(.unsupported, detail: "a shell is an absolute path without blanks and colons")
        }
        let account = try account(toChange: name)
        try checkRecord(of: name)
        guard account.retiredAt != nil || account.account.shell != shell else { return try unchanged(account) }
        try commit { table throws(AccountConflict) in try table.changing(name, shell: shell) }
        return try changed(account)
    }

    func setNow(_ name: UserName, home: String) throws(Denial) -> EnrolledAccount {
        guard HomePath.isAcceptable(home) else {
            throw Denial(.homeRefused, detail: "an absolute path of letters, digits and ._-@'+ is expected")
        }
        let account = try account(toChange: name)
        try checkRecord(of: name)
        guard account.retiredAt != nil || account.account.home != home else { return try unchanged(account) }
        guard try !localAccounts().get().claims(home: home) else {
            throw Denial(.homeRefused, detail: "\(home) is a local account's home, or above one")
        }
        try commit { table throws(AccountConflict) in try table.changing(name, home: home) }
        return try changed(account)
    }

    /// A mapped account's record is in /etc/passwd: a change here would have no effect.
    private func checkRecord(of name: UserName) throws(Denial) {
        guard try localAccounts().get().listed(named: name) != nil else { return }
        throw Denial(
            .unsupported,
            text: "The record of a mapped account is the local files'",
            detail: "change \(name) with usermod, and its name in \(MappingList.path), too"
        )
    }

    private func account(toChange name: UserName) throws(Denial) -> EnrolledAccount {
        let state = self.state.withLock { $0 }
        if let fault = state.fault { throw Denial(.storeUnreadable, detail: "\(fault)") }
        if let account = state.table.account(named: name) { return account }
        guard let account = state.table.account(formerlyNamed: name) else { throw Denial(.notEnrolled) }
        throw Denial(formerName: name, of: account)
    }

    func unchanged(_ account: EnrolledAccount) throws(Denial) -> EnrolledAccount {
        try publishStrictly()
        return account
    }

    private func commit(
        to account: EnrolledAccount,
        _ change: (AccountTable) throws(AccountConflict) -> AccountTable
    ) throws(Denial) -> EnrolledAccount {
        let table = state.withLock { $0.table }
        do throws(AccountConflict) { _ = try change(table) } catch { throw Denial(error) }
        // A grant does not outlive such a change: it ends even if the disk fails, and so does a grant given meanwhile.
        withdraw(account.account.uid)
        defer { withdraw(account.account.uid) }
        try commit(change)
        return try changed(account)
    }

    private func withdraw(_ uid: PosixID) {
        grants.withdraw(uid: uid)
        environment.groups?.lower(uid: uid, to: [])
    }

    private func changed(_ before: EnrolledAccount) throws(Denial) -> EnrolledAccount {
        let after = state.withLock { $0.table.account(uid: before.account.uid.number) }
        guard let after else { throw Denial(.notEnrolled) }
        return after
    }

    /// Applies the change on disk, then in memory, then publishes it. If the disk fails, nothing has changed.
    private func commit(
        _ change: (AccountTable) throws(AccountConflict) -> AccountTable,
        unpublished: PosixID? = nil
    ) throws(Denial) {
        let before = state.withLock { $0 }
        if let fault = before.fault { throw Denial(.storeUnreadable, detail: "\(fault)") }
        let content: AccountStore.Content
        do throws(AccountConflict) {
            content = AccountStore.Content(table: try change(before.table), generation: before.generation + 1)
        } catch {
            throw Denial(error)
        }
        do throws(FileError) { try store.save(content) } catch {
            state.withLock { $0.storeWarning = "\(error)" }
            throw Denial(.enrolmentFailed, detail: "\(error)")
        }
        state.withLock { state in
            state.table = content.table
            state.generation = content.generation
            state.storeWarning = nil
            if let unpublished { state.unpublished.insert(unpublished.number) }
        }
        defer { announceChange() }
        try publishStrictly()
    }

    private func publishStrictly() throws(Denial) {
        guard let problem = publishIfNeeded() else { return }
        throw Denial(.enrolmentFailed, detail: problem)
    }

    /// Publishes where something has changed. Returns what went wrong, which the report shows too.
    func publishIfNeeded() -> String? {
        let now = view()
        guard now.state.fault == nil else { return nil }
        let problem: String?
        do throws(Denial) {
            problem = publisher.publish(
                try now.rules().visible,
                revision: now.state.revision,
                policy: now.state.policy,
                generation: now.state.generation,
                seed: environment.random.bytes(4)
            )
        } catch {
            problem = error.detail
        }
        self.state.withLock { state in
            state.publicationWarning = problem
            if problem == nil { state.unpublished = [] }
        }
        return problem
    }
}

extension CurrentAccounts {
    /// The account where everything was done for it before; nil where something has to be written.
    func settled(_ account: Account, as identity: DirectoryIdentity) throws(Denial) -> EnrolledAccount? {
        guard case .enrolled(let enrolled) = standing(of: account.name) else { return nil }
        try CurrentAccounts.check(enrolled, account, as: identity)
        return state.unpublished.contains(account.uid.number) ? nil : enrolled
    }

    fileprivate static func check(
        _ enrolled: EnrolledAccount,
        _ account: Account,
        as identity: DirectoryIdentity
    ) throws(Denial) {
        guard enrolled.identity == identity else {
            throw Denial(enrolled, isNot: identity)
        }
        let bound = enrolled.account
        guard bound.uid == account.uid, bound.mappedUID == account.mappedUID, bound.home == account.home,
            bound.shortName == account.shortName
        else {
            throw Denial(.recordChanged, detail: "sshd has uid \(account.systemUID), enrolled is \(bound.systemUID)")
        }
    }
}

extension Denial {
    fileprivate init(_ conflict: AccountConflict) {
        switch conflict {
        case .nameBound(let holder):
            self.init(
                .objectIDChanged,
                detail: "\(holder.account.name), object id \(holder.identity.objectID), has the name or had it once"
            )
        case .identityBound(let holder):
            self.init(
                .objectIDChanged,
                text: "This Entra object has another account here",
                detail: "\(holder.identity.objectID) is \(holder.account.name)"
            )
        case .uidTaken(let holder): self.init(.recordChanged, detail: "the uid is that of \(holder.account.name)")
        case .homeTaken(let holder): self.init(.homeRefused, detail: "the home is that of \(holder.account.name)")
        case .retired(let holder): self.init(retired: holder)
        case .unknown: self.init(.notEnrolled)
        case .full: self.init(.idsExhausted, detail: "the table is full")
        }
    }
}
