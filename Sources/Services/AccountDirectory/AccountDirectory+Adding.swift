// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

// Accounts that root adds before their first sign-in (P5): bound like any other, to the object that root names.

/// The result of adding an account.
package struct AddedAccount: Hashable, Sendable {
    package let enrolled: EnrolledAccount
    /// False where it existed already, bound to the same object id.
    package let isNew: Bool
}

extension AccountDirectory {
    /// How many numbers one call tries where another directory has the first ones. Taken numbers are remembered, so the
    /// next call continues from there; each number costs a question to other name services.
    private static let numberLimit = 8

    /// Binds name, number and home to that object id of the machine's tenant before its user ever signed in; on disk
    /// and published before it returns. An account that is bound to it already is returned as it is. A name that
    /// another directory has is refused (`localAccount`), and so is a name whose sign-in would be refused before its
    /// role is asked for. `groups`: local groups that the account is about to join, for overrides that use them.
    package func add(
        _ name: UserName,
        as objectID: ObjectID,
        joining groups: Set<String> = []
    ) async throws(Denial) -> AddedAccount {
        for _ in 0..<Self.numberLimit {
            let expected: Account? =
                if case .provisional(let account) = view().standing(of: name, joining: groups) { account } else { nil }
            if let expected, try await !isFree(expected) { continue }
            let added = try await changing { directory throws(Denial) in
                try directory.addNow(name, as: objectID, joining: groups, expected)
            }
            if let added { return added }
        }
        throw Denial(
            .numberTaken,
            text: "Other directories have the numbers that this name leads to",
            detail: "give the command again, which looks further, or name other numbers in IDRange="
        )
    }

    /// False where another directory has the number or the short name; from now on the name leads to another one.
    private func isFree(_ account: Account) async throws(Denial) -> Bool {
        try await checkNobodyIs(account)
        do throws(Denial) {
            try await checkNobodyHas(account.uid, for: account)
            try await checkNobodyIsCalled(account)
            return true
        } catch {
            guard error.reason == .numberTaken else { throw error }
            return false
        }
    }

    /// Nil where the name no longer leads to `expected`, the account that other name services were asked about.
    private func addNow(
        _ name: UserName,
        as objectID: ObjectID,
        joining groups: Set<String>,
        _ expected: Account?
    ) throws(Denial) -> AddedAccount? {
        let now = view()
        let (state, local) = (now.state, try now.local.get())
        switch now.standing(of: name, joining: groups) {
        case .none(let denial): throw denial
        case .enrolled(let enrolled):
            guard enrolled.identity.objectID == objectID else { throw Denial(adding: objectID, to: enrolled) }
            return AddedAccount(enrolled: try unchanged(enrolled), isNew: false)
        case .provisional(let account):
            guard account == expected else { return nil }
            guard let tenant = state.tenant else {
                throw Denial(.machineUnknown, detail: "the machine's tenant is not known yet")
            }
            let identity = DirectoryIdentity(tenant: tenant, objectID: objectID)
            try checkList(local, name, identity)
            if let holder = state.table.account(of: identity) { throw Denial(adding: name, to: holder) }
            return AddedAccount(enrolled: try enrolNew(account, as: identity, isAdded: true), isNew: true)
        }
    }
}

extension Denial {
    /// The name is bound to another object.
    fileprivate init(adding objectID: ObjectID, to account: EnrolledAccount) {
        let name = account.account.name
        self.init(
            .objectIDChanged,
            detail:
                "\(name) is bound to \(account.identity.objectID); if \(objectID) is the same person, made anew in Entra:"
                + " entraloginctl users rebind \(name) --object-id \(objectID)"
        )
    }

    /// The object has an account under another name.
    fileprivate init(adding name: UserName, to account: EnrolledAccount) {
        guard account.retiredAt == nil else {
            self.init(retired: account)
            return
        }
        let holder = account.account.name
        self.init(
            .objectIDChanged,
            text: "This Entra object has another account here",
            detail: "\(account.identity.objectID) is \(holder); if its name in Entra is \(name) now:"
                + " entraloginctl users rename \(holder) \(name)"
        )
    }
}
