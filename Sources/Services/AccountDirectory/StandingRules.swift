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
    let fault: StoreFault?

    func standing(of name: UserName) -> AccountStanding {
        if let refusal = refusal(of: name) { return .none(refusal) }
        if let renamed = table.account(formerlyNamed: name) { return .none(Denial(formerName: name, of: renamed)) }
        if let enrolled = table.account(named: name) { return standing(of: enrolled) }
        do throws(Denial) { return .provisional(try provisionalAccount(named: name)) } catch { return .none(error) }
    }

    /// What a local account or group has of the enrolled account's, for people; nil where nothing (P7).
    func shadow(of account: Account) -> String? {
        if local.claims(account.name) { return "name \(account.name)" }
        if local.claims(id: account.uid.number) { return "number \(account.uid)" }
        return nil
    }

    /// Who is published, in the order of enrolment: neither retired nor shadowed.
    var visible: VisibleAccounts { VisibleAccounts(table.accounts, hiding: shadowed) }

    /// The uids of all who have a `shadow(of:)`, found from the local side, which is mostly the shorter one by far.
    private var shadowed: Set<UInt32> {
        var uids = local.uids.union(local.gids).filter { table.account(uid: $0) != nil }
        for text in local.userNames.union(local.groupNames) {
            guard let name = UserName(text), let holder = table.account(named: name) else { continue }
            uids.insert(holder.account.uid.number)
        }
        return uids
    }

    /// Why nobody of ours may have the name here, whoever it is.
    func refusal(of name: UserName) -> Denial? {
        if let fault { return Denial(.storeUnreadable, detail: "\(fault)") }
        if local.claims(name) {
            return Denial(.localAccount, detail: "\(name) is a user or group in the local files")
        }
        guard policy.allows(name) else {
            return Denial(.domainNotAllowed, detail: "the domain of \(name) is not among Domains=")
        }
        return nil
    }

    private func standing(of enrolled: EnrolledAccount) -> AccountStanding {
        guard enrolled.retiredAt == nil else { return .none(Denial(retired: enrolled)) }
        if let shadow = shadow(of: enrolled.account) {
            return .none(Denial(.localAccount, detail: "a local user or group has the \(shadow)"))
        }
        if local.hasHome(enrolled.account.home) {
            return .none(Denial(.homeRefused, detail: "\(enrolled.account.home) is a local account's home"))
        }
        return .enrolled(enrolled)
    }

    private func provisionalAccount(named name: UserName) throws(Denial) -> Account {
        guard let tenant else { throw Denial(.machineUnknown, detail: "the machine's tenant is not known yet") }
        let uid: PosixID
        do throws(IDAllocation.Exhausted) {
            let digest = SHA256.digest(of: IDAllocation.seed(tenant: tenant, name: name))
            uid = try IDAllocation.number(for: digest) { number in
                table.account(uid: number) != nil || local.claims(id: number)
            }
        } catch {
            throw Denial(.idsExhausted, detail: "\(IDAllocation.probeLimit) numbers in a row are taken")
        }
        let homes = policy.homeTemplate.candidates(for: name)
        guard let home = homes.first(where: { !local.claims(home: $0) && table.account(home: $0) == nil }) else {
            throw Denial(.homeRefused, detail: "all homes that \(policy.homeTemplate) gives for \(name) are taken")
        }
        return Account(name: name, uid: uid, displayName: "", home: home, shell: policy.shell)
    }
}
