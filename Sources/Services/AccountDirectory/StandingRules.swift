// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Libcrypto

/// What a name is here: a pure function of the table, the local files, the tenant and the policy.
struct StandingRules {
    let table: AccountTable
    let local: LocalAccounts
    let tenant: TenantID?
    let policy: AccountPolicy
    /// Blocks of numbers (`IDAllocation.othersBlock`) in which another name service has a number.
    var others: Set<UInt32> = []
    /// Short names that another name service has for another user.
    var heldNames: Set<ShortName> = []
    let fault: StoreFault?

    /// `groups`: local groups that the account is about to join, besides those that list it.
    func standing(of name: UserName, joining groups: Set<String> = []) -> AccountStanding {
        if let refusal = refusal(of: name) { return .none(refusal) }
        if let renamed = table.account(formerlyNamed: name) { return .none(Denial(formerName: name, of: renamed)) }
        if let enrolled = table.account(named: name) { return standing(of: enrolled) }
        do throws(Denial) { return .provisional(try provisionalAccount(named: name, joining: groups)) } catch {
            return .none(error)
        }
    }

    /// The local record that root's list maps to this account; nil where there is none.
    static func mapping(of enrolled: EnrolledAccount, in local: LocalAccounts) -> MappedAccount? {
        guard let mapped = local.mapped(named: enrolled.account.name),
            mapped.person.objectID == enrolled.identity.objectID
        else { return nil }
        return mapped
    }

    /// Which part of the enrolled account a local account or group has, as text for messages; nil where none (P7).
    func shadow(of enrolled: EnrolledAccount) -> String? {
        let account = enrolled.account
        let isMapped = StandingRules.mapping(of: enrolled, in: local) != nil
        if !isMapped, local.claims(account.name) || local.listed(named: account.name) != nil {
            return "name \(account.name)"
        }
        if let short = policy.asCalledNow(account).shortName, local.claims(SystemName(short)) { return "name \(short)" }
        if local.claims(id: account.uid.number) { return "number \(account.uid)" }
        return nil
    }

    /// The accounts that are published, in the order of enrolment: neither retired nor shadowed.
    var visible: VisibleAccounts {
        let mapped = local.mapped.compactMap { mapped -> UInt32? in
            guard let holder = table.account(named: mapped.person.name),
                StandingRules.mapping(of: holder, in: local) != nil
            else { return nil }
            return holder.account.uid.number
        }
        return VisibleAccounts(table.accounts, hiding: shadowed, forGroupsAlone: Set(mapped))
    }

    /// The uids of all accounts with a `shadow(of:)`, found from the local accounts, which are usually far fewer.
    private var shadowed: Set<UInt32> {
        var uids = local.uids.union(local.gids).filter { table.account(uid: $0) != nil }
        for text in local.userNames.union(local.groupNames) {
            guard let name = UserName(text), let holder = table.account(named: name) else { continue }
            if StandingRules.mapping(of: holder, in: local) == nil { uids.insert(holder.account.uid.number) }
        }
        if policy.shortNameDomain != nil {
            for text in local.userNames.union(local.groupNames) {
                guard let short = ShortName(text), let holder = table.account(called: short),
                    policy.asCalledNow(holder.account).shortName == short
                else { continue }
                uids.insert(holder.account.uid.number)
            }
        }
        for name in local.mismatches.keys {
            if let holder = table.account(named: name) { uids.insert(holder.account.uid.number) }
        }
        return uids
    }

    /// Why no Entra account may have the name here.
    func refusal(of name: UserName) -> Denial? {
        if let fault { return Denial(.storeUnreadable, detail: "\(fault)") }
        if let mismatch = local.mismatches[name] { return Denial(mismatch: name, mismatch) }
        if local.mapped(named: name) == nil, local.claims(name) {
            return Denial(.localAccount, detail: "\(name) is a user or group in the local files")
        }
        guard policy.allows(name) else {
            return Denial(.domainNotAllowed, detail: "the domain of \(name) is not among Domains=")
        }
        return nil
    }

    private func standing(of enrolled: EnrolledAccount) -> AccountStanding {
        guard enrolled.retiredAt == nil else { return .none(Denial(retired: enrolled)) }
        guard enrolled.lockedAt == nil else { return .none(Denial(locked: enrolled)) }
        if let listed = local.listed(named: enrolled.account.name), listed.objectID != enrolled.identity.objectID {
            return .none(Denial(enrolled, isListedAs: listed))
        }
        if let shadow = shadow(of: enrolled) {
            return .none(Denial(.localAccount, detail: "a local user or group has the \(shadow)"))
        }
        if let mapped = StandingRules.mapping(of: enrolled, in: local) {
            return .enrolled(enrolled.mapped(as: mapped))
        }
        if local.hasHome(enrolled.account.home) {
            return .none(Denial(.homeRefused, detail: "\(enrolled.account.home) is a local account's home"))
        }
        return .enrolled(policy.asCalledNow(enrolled))
    }

    /// The short name that an account of that name may get, permanently, or why it gets none; both nil where users of
    /// its domain have none.
    func shortName(for name: UserName) -> (name: ShortName?, obstacle: String?) {
        guard policy.hasShortNames(of: name.domain) else { return (nil, nil) }
        guard let short = name.shortName(in: policy.shortNameDomain) else {
            return (nil, "\(name.localPart) cannot be a user's name everywhere")
        }
        if short.isReserved { return (nil, "\(short) is a name that programs use on Linux machines") }
        if let obstacle = local.obstacle(to: short) { return (nil, obstacle) }
        if let holder = table.account(called: short), holder.account.name != name {
            return (nil, "\(holder.account.name) has the name \(short), or had it")
        }
        if heldNames.contains(short) { return (nil, "another directory of this machine has a user called \(short)") }
        return (short, nil)
    }

    private func provisionalAccount(named name: UserName, joining groups: Set<String>) throws(Denial) -> Account {
        guard let tenant else { throw Denial(.machineUnknown, detail: "the machine's tenant is not known yet") }
        let uid = try number(for: name, of: tenant)
        if let mapped = local.mapped(named: name) {
            if let holder = table.account(home: mapped.home) {
                throw Denial(.homeRefused, detail: "\(mapped.home) is the home of \(holder.account.name)")
            }
            let account = Account(name: name, uid: uid, displayName: "", home: mapped.home, shell: mapped.shell)
            return account.mapped(as: mapped)
        }
        let short = shortName(for: name).name
        let groups = groups.union(local.groups(listing: name))
        let template = policy.homeOverrides.value(for: name, in: groups) ?? policy.homeTemplate
        let homes = template.candidates(for: name, called: short)
        guard let home = homes.first(where: { !local.claims(home: $0) && table.account(home: $0) == nil }) else {
            throw Denial(.homeRefused, detail: "all homes that \(template) gives for \(name) are taken")
        }
        let shell = policy.shellOverrides.value(for: name, in: groups) ?? policy.shell
        return Account(name: name, uid: uid, displayName: "", home: home, shell: shell, shortName: short)
    }

    /// The number that the name leads to: free here, and in no block in which another directory is known to have one.
    private func number(for name: UserName, of tenant: TenantID) throws(Denial) -> PosixID {
        for attempt in 0..<IDAllocation.attemptLimit {
            do throws(IDAllocation.Exhausted) {
                let digest = SHA256.digest(of: IDAllocation.seed(tenant: tenant, name: name, attempt: attempt))
                let uid = try IDAllocation.number(for: digest, in: policy.numbers) { number in
                    table.account(uid: number) != nil || local.claims(id: number)
                }
                if !others.contains(uid.number / IDAllocation.othersBlock) { return uid }
            } catch {
                throw Denial(.idsExhausted, detail: "\(IDAllocation.probeLimit) numbers in a row are taken")
            }
        }
        throw Denial(.idsExhausted, detail: "another directory has numbers all over IDRange=")
    }
}

extension Denial {
    /// Root's list and the local files contradict each other about the name.
    fileprivate init(mismatch name: UserName, _ difference: String) {
        self.init(
            .recordChanged,
            text: "This machine's files contradict each other about this account",
            detail: "\(name) is in \(MappingList.path), but \(difference); fix one of the two"
        )
    }

    fileprivate init(_ enrolled: EnrolledAccount, isListedAs listed: MappedPerson) {
        let name = enrolled.account.name
        self.init(
            .objectIDChanged,
            detail: "\(name) is object id \(listed.objectID) in \(MappingList.path), and is bound to"
                + " \(enrolled.identity.objectID); correct the list, or, if both are the same person, made anew in Entra:"
                + " entraloginctl users rebind \(name) --object-id \(listed.objectID)"
        )
    }
}
