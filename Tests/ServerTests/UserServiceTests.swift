// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import Testing
import Wire

@testable import Server

@Suite struct UserServiceTests {
    @Test("Users come in pages that fit a frame, however long their names are, and none is lost or told twice")
    func pages() async throws {
        let fixture = try ReportFixture()
        let long = String(repeating: "a", count: 60)
        let count = UserService.perPage * 2 + 1
        let quotes = String(repeating: "\"", count: 255)
        for number in 1...count {
            let digits = String(number + 1_000)
            try await fixture.enrol(
                "\(long)\(digits)@\(String(repeating: "d", count: 44)).com",
                number,
                displayName: quotes
            )
        }
        var names: [String] = []
        var after = ""
        var pages = 0
        repeat {
            let page = try await fixture.document(.users(after: after), UsersReport.self)
            #expect(page.users.allSatisfy { $0.displayName == quotes && $0.home.utf8.count > 245 })
            names += page.users.map(\.name)
            after = page.next ?? ""
            pages += 1
        } while !after.isEmpty && pages < 10
        #expect(pages == 3)
        #expect(names.count == count)
        #expect(names == names.sorted())
        #expect(Set(names).count == count)
    }

    @Test("A user is told with uid, object id and the time of enrolment")
    func user() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        let users = try await fixture.document(.users(after: ""), UsersReport.self).users
        let alice = try #require(users.first)
        #expect(users.count == 1)
        #expect(alice.name == "alice@contoso.com")
        #expect(PosixID.userRange.contains(alice.uid))
        #expect(alice.objectID == (try identity(1)).objectID.description)
        #expect(alice.enrolledAt == 1_700_000_000)
        #expect(alice.retiredAt == nil && alice.administratorForSeconds == nil && alice.lastDecision == nil)
        #expect(try await fixture.document(.users(after: "alice@contoso.com"), UsersReport.self).users.isEmpty)
    }

    @Test("P15: a retirement is recorded, and the name answers no more")
    func retire() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        #expect(await fixture.service.answer(.retire("ALICE@contoso.com")) == .done)
        #expect(fixture.book.records.map(\.event) == [.retired])
        #expect(fixture.book.records.first?.user == "alice@contoso.com")
        #expect(fixture.book.records.first?.objectID == (try identity(1)).objectID)
        let users = try await fixture.document(.users(after: ""), UsersReport.self).users
        #expect(users.map(\.retiredAt) == [1_700_000_000])
    }

    @Test(
        "P15: an account that root adds is recorded once, with its object id; the list says that nobody has signed in"
    )
    func added() async throws {
        let fixture = try ReportFixture()
        let objectID = try identity(1).objectID.description
        for isNew in [true, false] {
            let added = try await fixture.document(
                .add("ALICE@contoso.com", objectID: objectID, groups: []),
                AddedUserReport.self
            )
            #expect(added.isNew == isNew && added.name == "alice@contoso.com" && added.objectID == objectID)
        }
        #expect(fixture.book.records.map(\.event) == [.added])
        #expect(fixture.book.records.first?.user == "alice@contoso.com")
        #expect(fixture.book.records.first?.objectID == (try identity(1)).objectID)
        let alice = try #require(try await fixture.document(.users(after: ""), UsersReport.self).users.first)
        #expect(alice.addedAt == 1_700_000_000 && alice.lastSignInAt == nil && alice.refusal == nil)
        try await fixture.enrol("bob@contoso.com", 2)
        let bob = try #require(
            try await fixture.document(.users(after: "alice@contoso.com"), UsersReport.self).users.first
        )
        #expect(bob.addedAt == nil && bob.lastSignInAt == 1_700_000_000)
    }

    @Test("P5: what cannot be added is refused with its reason, and leaves no record")
    func notAdded() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        let (one, two) = (try identity(1).objectID.description, try identity(2).objectID.description)
        for (request, reason) in [
            (Request.add("root", objectID: two, groups: []), "not-our-name"),
            (.add("alice@contoso.com", objectID: two, groups: []), "object-id-changed"),
            (.add("bob@contoso.com", objectID: one, groups: []), "object-id-changed"),
        ] {
            guard case .refused(let refusal) = await fixture.service.answer(request) else {
                Issue.record("not refused: \(request)")
                continue
            }
            #expect(refusal.reason == reason, "\(request)")
        }
        #expect(await fixture.service.answer(.add("bob@contoso.com", objectID: "bob", groups: [])) == .malformed)
        #expect(fixture.book.records.isEmpty)
    }

    @Test("P15: a lock and its end are recorded, by name or object id; the list says since when and why")
    func lock() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        let objectID = try identity(1).objectID.description
        #expect(await fixture.service.answer(.lock(objectID)) == .done)
        #expect(await fixture.service.answer(.lock("alice@contoso.com")) == .done)
        let alice = try #require(try await fixture.document(.users(after: ""), UsersReport.self).users.first)
        #expect(alice.lockedAt == 1_700_000_000 && alice.refusal == "account-locked" && alice.retiredAt == nil)
        #expect(await fixture.service.answer(.unlock(String(alice.uid))) == .done)
        #expect(fixture.book.records.map(\.event) == [.locked, .unlocked])
        #expect(try await fixture.document(.users(after: ""), UsersReport.self).users.first?.refusal == nil)
        #expect(await fixture.service.answer(.lock("bob@contoso.com")) == .notFound)
    }

    @Test("One account is shown whole: by name, by a name it had, by uid; retired ones too")
    func show() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        #expect(await fixture.service.answer(.rename("alice@contoso.com", to: "alicia@contoso.com")) == .done)
        let uid = try #require(fixture.accounts.view().allEnrolled().first?.account.uid.number)
        for text in ["alicia@contoso.com", "Alice@Contoso.com", "\(uid)"] {
            let user = try await fixture.document(.showUser(text), UserReport.self)
            #expect(user.name == "alicia@contoso.com")
            #expect(user.formerNames == ["alice@contoso.com"])
            #expect(user.tenantID == contoso)
            #expect(user.shell == "/bin/bash")
            #expect(user.refusal == nil && user.refusalDetail == nil)
        }
        _ = await fixture.service.answer(.retire("alicia@contoso.com"))
        let retired = try await fixture.document(.showUser("\(uid)"), UserReport.self)
        #expect(retired.refusal == "account-retired")
        #expect(retired.refusalDetail?.contains("users rebind alicia@contoso.com") == true)
        for text in ["bob@contoso.com", "root", "0", "", "1000"] {
            #expect(await fixture.service.answer(.showUser(text)) == .notFound, "\(text)")
        }
    }

    @Test("P7: what a local account hides is told, with what it has taken")
    func hidden() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        let uid = try #require(fixture.accounts.view().allEnrolled().first?.account.uid)
        try fixture.locals("squatter:x:\(uid):100::/:/bin/sh\n")
        let users = try await fixture.document(.users(after: ""), UsersReport.self).users
        #expect(users.map(\.refusal) == ["local-account"])
        let user = try await fixture.document(.showUser("alice@contoso.com"), UserReport.self)
        #expect(user.refusalDetail?.contains("number \(uid)") == true)
    }

    @Test("P15: each change is recorded once, with who it was and is; what changes nothing is not")
    func records() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        let two = try identity(2).objectID
        #expect(await fixture.service.answer(.rename("alice@contoso.com", to: "ALICIA@contoso.com")) == .done)
        #expect(await fixture.service.answer(.rename("alicia@contoso.com", to: "alicia@contoso.com")) == .done)
        for request in [
            Request.rebind("alicia@contoso.com", objectID: two.description), .retire("alicia@contoso.com"),
            .rebind("alicia@contoso.com", objectID: two.description),
        ] {
            for _ in 0..<2 { #expect(await fixture.service.answer(request) == .done) }
        }
        let records = fixture.book.records
        #expect(records.map(\.event) == [.renamed, .rebound, .retired, .rebound])
        #expect(records.allSatisfy { $0.user == "alicia@contoso.com" && $0.priority == .notice })
        #expect(records.map(\.objectID) == [(try identity(1)).objectID, two, two, two])
        #expect(records[1].message.contains("it was \((try identity(1)).objectID)"))
        #expect(!records[1].message.contains("retired"))
        #expect(records[3].message.contains("retired no more"))
    }

    @Test("P5: root gives an account another shell and home; uid, name and person stay, and each is recorded once")
    func shellAndHome() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        let before = try #require(fixture.accounts.view().allEnrolled().first)
        for request in [
            Request.setShell("alice@contoso.com", shell: "/bin/zsh"),
            .setHome("ALICE@contoso.com", home: "/data/alice"),
        ] {
            for _ in 0..<2 { #expect(await fixture.service.answer(request) == .done) }
        }
        let after = try #require(fixture.accounts.view().allEnrolled().first)
        #expect(after.account.shell == "/bin/zsh" && after.account.home == "/data/alice")
        #expect(after.account.uid == before.account.uid && after.identity == before.identity)
        #expect(fixture.book.records.map(\.event) == [.changed, .changed])
        #expect(fixture.book.records[1].message.contains("it was \(before.account.home)"))
    }

    @Test("P7: a home that is somebody's, and a shell or home that passwd cannot hold, are refused without a record")
    func homesOfOthers() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        try await fixture.enrol("bob@contoso.com", 2)
        try fixture.locals("lisa:x:1000:1000::/home/lisa:/bin/sh\n")
        let bob = try #require(fixture.accounts.view().allEnrolled().last?.account.home)
        for (request, reason) in [
            (Request.setHome("alice@contoso.com", home: bob), "home-refused"),
            (.setHome("alice@contoso.com", home: "/home/lisa"), "home-refused"),
            (.setHome("alice@contoso.com", home: "/home"), "home-refused"),
            (.setHome("alice@contoso.com", home: "/a:b"), "home-refused"),
            (.setHome("alice@contoso.com", home: "data/alice"), "home-refused"),
            (.setShell("alice@contoso.com", shell: "/bin/a b"), "unsupported"),
            (.setShell("carol@contoso.com", shell: "/bin/sh"), "not-enrolled"),
        ] {
            guard case .refused(let refusal) = await fixture.service.answer(request) else {
                Issue.record("not refused: \(request)")
                continue
            }
            #expect(refusal.reason == reason, "\(request)")
        }
        _ = await fixture.service.answer(.retire("alice@contoso.com"))
        guard case .refused = await fixture.service.answer(.setHome("alice@contoso.com", home: "/data/a")) else {
            Issue.record("a retired account was changed")
            return
        }
        #expect(fixture.book.records.map(\.event) == [.retired])
    }

    @Test("P5: what cannot be is refused with its reason and what stands in the way, and leaves no record")
    func refusals() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        try await fixture.enrol("bob@contoso.com", 2)
        for (request, reason, mention) in [
            (Request.retire("carol@contoso.com"), "not-enrolled", ""),
            (.rebind("alice@contoso.com", objectID: try identity(2).objectID.description), "object-id-changed", "bob@"),
            (.rename("alice@contoso.com", to: "bob@contoso.com"), "object-id-changed", "bob@"),
            (.rename("alice@contoso.com", to: "root"), "not-our-name", ""),
        ] {
            guard case .refused(let refusal) = await fixture.service.answer(request) else {
                Issue.record("not refused: \(request)")
                continue
            }
            #expect(refusal.reason == reason)
            #expect(refusal.text.contains(mention))
        }
        #expect(await fixture.service.answer(.retire("root")) == .notFound)
        #expect(await fixture.service.answer(.rebind("alice@contoso.com", objectID: "bob")) == .malformed)
        #expect(fixture.book.records.isEmpty)
    }
}
