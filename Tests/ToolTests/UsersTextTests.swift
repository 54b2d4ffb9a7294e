// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import entraloginctl

/// The text about accounts for people. Every line fits into eighty columns unless a single word does not.
struct UsersTextTests {
    private static let now: Int64 = 1_786_975_509
    private let text = UsersText(style: Style(), now: UsersTextTests.now)
    private let objectID = "00000000-0000-4000-8000-000000000001"

    private func user(_ name: String = "alice@contoso.com") -> UserReport {
        var user = UserReport(
            name: name,
            uid: 1_879_049_300,
            objectID: objectID,
            displayName: "Alice",
            home: "/home/\(name)",
            enrolledAt: 951_782_400
        )
        user.lastSignInAt = 951_868_800
        return user
    }

    @Test("Users stand in a table, and what is so of each in one word or two")
    func list() {
        var states = (0..<7).map { user("p\($0)@contoso.com") }
        states[6].addedAt = 951_782_400
        states[6].lastSignInAt = nil
        states[1].administratorForSeconds = 1800
        states[2].lastDecision = "allow"
        states[2].lastDecisionAgeSeconds = 30
        states[3].refusal = "local-account"
        states[4].retiredAt = 951_782_400
        states[5].name = "\u{1b}[31m@x"
        let expected = [
            "NAME            UID         STATE",
            "p0@contoso.com  1879049300  signed in 2000-03-01",
            "p1@contoso.com  1879049300  administrator for 30 min",
            "p2@contoso.com  1879049300  allow, 30 s ago",
            "p3@contoso.com  1879049300  refused: local-account",
            "p4@contoso.com  1879049300  retired",
            "?[31m@x         1879049300  signed in 2000-03-01",
            "p6@contoso.com  1879049300  added 2000-02-29",
        ]
        #expect(text.list(states) == expected)
        #expect(text.list([]) == ["Nobody has signed in yet."])
    }

    @Test("A name that leaves no room stands on a line of its own")
    func longName() {
        let long = String(repeating: "a", count: 64) + "@contoso.com"
        let lines = text.list([user(), user(long)])
        #expect(lines.suffix(2) == [long, "                   1879049300  signed in 2000-03-01"])
        #expect(lines.filter { $0 != long }.allSatisfy { $0.count <= Style.width })
    }

    @Test("A card shows everything that is known of one")
    func card() {
        var alice = user()
        alice.tenantID = "9b1c3d5e-0000-4000-8000-000000000001"
        alice.shell = "/bin/bash"
        alice.formerNames = ["al@contoso.com"]
        alice.refusal = "local-account"
        alice.refusalDetail = "a local user or group has the number 1879049300"
        #expect(
            text.card(alice) == [
                "name          alice@contoso.com", "display name  Alice", "uid and gid   1879049300",
                "home          /home/alice@contoso.com", "shell         /bin/bash", "object id     \(objectID)",
                "tenant        9b1c3d5e-0000-4000-8000-000000000001", "enrolled      2000-02-29 00:00:00 UTC",
                "last sign-in  2000-03-01 00:00:00 UTC", "former names  al@contoso.com",
                "refused       local-account: a local user or group has the number 1879049300",
            ]
        )
    }

    @Test("P5: before an account changes hands, the tool says what that means and how to say that it is meant")
    func proposal() {
        let other = "0b1ec700-0000-4000-8000-00000000beef"
        let lines = text.proposal(user(), other)
        #expect(lines.first == "Nothing was changed yet.")
        #expect(lines.contains("account       alice@contoso.com, uid 1879049300, home /home/alice@contoso.com"))
        #expect(lines.contains("person now    object id \(objectID), since 2000-02-29"))
        #expect(lines.contains("would be      object id \(other)"))
        let command = "  entraloginctl users rebind alice@contoso.com --object-id \(other) --same-person"
        #expect(lines.contains(command))
        #expect(lines.joined(separator: " ").contains("the same human being"))
        #expect(lines.filter { $0 != command }.allSatisfy { $0.count <= Style.width })
        var retired = user()
        retired.retiredAt = 951_868_800
        #expect(text.proposal(retired, objectID).contains("comes back    object id \(objectID)"))
        #expect(text.retired(retired).contains("users rebind"))
    }

    @Test("P16: an added account is not said to have signed in; what was added and what was there are told apart")
    func added() {
        var report = AddedUserReport(
            name: "alice@contoso.com",
            uid: 1_879_049_300,
            objectID: objectID,
            home: "/home/alice@contoso.com",
            shell: "/bin/bash",
            isNew: true
        )
        #expect(
            text.added(report, groups: ["docker", "lxd"]).last == "Member of docker, lxd from the next session on."
        )
        #expect(text.added(report, groups: []).first?.contains("alice@contoso.com is added") == true)
        report.isNew = false
        #expect(text.added(report, groups: []).first?.contains("is there already") == true)
        var alice = user()
        alice.addedAt = alice.enrolledAt
        alice.lastSignInAt = nil
        let card = text.card(alice)
        #expect(card.contains { $0.hasPrefix("added by root") } && !card.contains { $0.hasPrefix("last sign-in") })
    }
}
