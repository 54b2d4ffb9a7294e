// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

private let now = UnixTime(seconds: 1_000)

@Suite struct AccountTableTests {
    @Test func `an account is found by name, uid, identity and home`() throws {
        let one = try enrolled(1)
        let table = try AccountTable([one, try enrolled(2)])
        #expect(table.account(named: one.account.name) == one)
        #expect(table.account(uid: one.account.uid.number) == one)
        #expect(table.account(of: one.identity) == one)
        #expect(table.account(home: "/home/./person1@contoso.com/") == one)
        #expect(table.account(uid: 1) == nil)
    }

    @Test("P5: whatever of an account is bound, nobody else gets")
    func conflicts() throws {
        let one = try enrolled(1)
        let table = try AccountTable([one])
        #expect(throws: AccountConflict.nameBound(to: one)) {
            try table.adding(try enrolled(2, name: one.account.name.text, home: "/home/x"))
        }
        #expect(throws: AccountConflict.uidTaken(by: one)) {
            try table.adding(try enrolled(2, uid: one.account.uid.number))
        }
        #expect(throws: AccountConflict.homeTaken(by: one)) {
            try table.adding(try enrolled(2, home: one.account.home))
        }
        #expect(throws: AccountConflict.identityBound(to: one)) {
            try table.adding(try enrolled(1, name: "other@contoso.com", uid: one.account.uid.number + 50))
        }
    }

    @Test("Page after page, everybody comes once, by name, whatever the order of enrolment")
    func pages() throws {
        let names = (1...40).map { "\($0 * 17 % 41)@contoso.com" }
        let table = try AccountTable(try names.enumerated().map { try enrolled($0.offset + 1, name: $0.element) })
        for limit in [1, 7, 39, 40, 41] {
            var seen: [String] = []
            var isLast = false
            while !isLast {
                let page = table.page(after: seen.last ?? "", limit: limit)
                #expect(page.accounts.count == limit || page.isLast)
                seen += page.accounts.map(\.account.name.text)
                isLast = page.isLast
                try #require(seen.count <= names.count)
            }
            #expect(seen == names.sorted(), "\(limit) a page")
        }
        let none = AccountTable().page(after: "", limit: 5)
        #expect(none.accounts.isEmpty && none.isLast)
    }

    @Test func `adding leaves the old table as it was`() throws {
        let table = try AccountTable([try enrolled(1)])
        let more = try table.adding(try enrolled(2))
        #expect(table.accounts.count == 1)
        #expect(more.accounts.count == 2)
    }

    @Test("P5: a retired account keeps its name, uid, home and identity from everybody")
    func retirement() throws {
        let name = try enrolled(1).account.name
        let table = try AccountTable([try enrolled(1)]).retiring(name, at: now)
        let retired = try #require(table.account(named: name))
        #expect(retired.retiredAt == now)
        #expect(table.retiredCount == 1)
        #expect(throws: AccountConflict.uidTaken(by: retired)) {
            try table.adding(try enrolled(2, uid: retired.account.uid.number))
        }
        #expect(throws: AccountConflict.nameBound(to: retired)) { try table.adding(try enrolled(3, name: name.text)) }
        #expect(throws: AccountConflict.homeTaken(by: retired)) {
            try table.adding(try enrolled(4, home: retired.account.home))
        }
        let again = try table.retiring(name, at: now.adding(seconds: 5))
        #expect(again.account(named: name)?.retiredAt == now)
        #expect(throws: AccountConflict.unknown) { try table.retiring(try enrolled(9).account.name, at: now) }
    }

    @Test("P5: a renamed person keeps uid and home, and the old name stays bound")
    func renaming() throws {
        let one = try enrolled(1)
        let new = try name("married@contoso.com")
        let table = try AccountTable([one, try enrolled(2)]).renaming(one.identity, to: new)
        let renamed = try #require(table.account(named: new))
        #expect(renamed.account.uid == one.account.uid)
        #expect(renamed.account.home == one.account.home)
        #expect(renamed.formerNames == [one.account.name])
        #expect(table.account(named: one.account.name) == nil)
        #expect(table.account(formerlyNamed: one.account.name) == renamed)
        #expect(throws: AccountConflict.nameBound(to: renamed)) {
            try table.adding(try enrolled(3, name: one.account.name.text, home: "/home/x"))
        }
        #expect(throws: AccountConflict.nameBound(to: renamed)) {
            try table.renaming(try identity(2), to: one.account.name)
        }
        #expect(try table.renaming(one.identity, to: new).accounts == table.accounts)
        let back = try table.renaming(one.identity, to: one.account.name)
        #expect(back.account(named: one.account.name)?.formerNames == [new])
        #expect(back.account(formerlyNamed: one.account.name) == nil)
        #expect(back.account(formerlyNamed: new) == back.account(of: one.identity))
        #expect(try AccountTable(back.accounts).account(formerlyNamed: new) == back.account(of: one.identity))
        let two = try enrolled(2)
        #expect(throws: AccountConflict.nameBound(to: two)) { try table.renaming(one.identity, to: two.account.name) }
        #expect(throws: AccountConflict.unknown) { try table.renaming(try identity(9), to: try name("q@w.e")) }
        #expect(try AccountTable(table.accounts).account(formerlyNamed: one.account.name) == renamed)
    }

    @Test("P5: a retired person is not renamed, and nobody without end")
    func renamingLimits() throws {
        let one = try enrolled(1)
        let retired = try AccountTable([one]).retiring(one.account.name, at: now)
        let holder = try #require(retired.account(of: one.identity))
        #expect(throws: AccountConflict.retired(holder)) {
            try retired.renaming(one.identity, to: try name("new@contoso.com"))
        }
        var table = try AccountTable([one])
        for number in 0..<AccountTable.formerNameLimit {
            table = try table.renaming(one.identity, to: try name("n\(number)@contoso.com"))
        }
        #expect(throws: AccountConflict.full) { try table.renaming(one.identity, to: try name("last@contoso.com")) }
    }

    @Test("P5: only the administrator's rebinding gives an account to another object id")
    func rebinding() throws {
        let one = try enrolled(1)
        let table = try AccountTable([one, try enrolled(2)])
            .retiring(one.account.name, at: now)
            .rebinding(one.account.name, to: try identity(7))
        let rebound = try #require(table.account(of: try identity(7)))
        #expect(rebound.account == one.account)
        #expect(rebound.retiredAt == nil)
        #expect(table.account(of: one.identity) == nil)
        #expect(throws: AccountConflict.identityBound(to: rebound)) {
            try table.rebinding(try enrolled(2).account.name, to: try identity(7))
        }
    }

    @Test("P5: shell and home change by the administrator's word alone, and no home is two accounts'")
    func changing() throws {
        let one = try enrolled(1)
        let two = try enrolled(2)
        let table = try AccountTable([one, two]).changing(one.account.name, shell: "/bin/zsh", home: "/data/one")
        let changed = try #require(table.account(of: one.identity))
        #expect(changed.account.shell == "/bin/zsh" && changed.account.uid == one.account.uid)
        #expect(table.account(home: "/data//one") == changed && table.account(home: one.account.home) == nil)
        #expect(throws: AccountConflict.homeTaken(by: two)) {
            try table.changing(one.account.name, home: two.account.home)
        }
        #expect(try table.changing(one.account.name, home: "/data/one").accounts == table.accounts)
        #expect(throws: AccountConflict.unknown) { try table.changing(try name("q@w.e"), shell: "/bin/sh") }
        let retired = try table.retiring(two.account.name, at: now)
        let holder = try #require(retired.account(of: two.identity))
        #expect(throws: AccountConflict.retired(holder)) { try retired.changing(two.account.name, shell: "/bin/sh") }
    }

    @Test("P5: a stored list with a collision is refused")
    func storedCollision() throws {
        let one = try enrolled(1)
        #expect(throws: AccountConflict.identityBound(to: one)) {
            try AccountTable([one, try enrolled(1, name: "x@y.z", uid: one.account.uid.number + 1)])
        }
    }
}
