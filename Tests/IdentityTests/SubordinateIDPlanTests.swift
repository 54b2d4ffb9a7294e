// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Identity

@Suite("Who gets which subordinate ids") struct SubordinateIDPlanTests {
    private static let first: UInt32 = 1_073_741_824
    private static let alice = "alice@contoso.com"

    private func holder(_ name: String, _ uid: UInt32, _ former: [String] = []) throws -> SubordinateIDPlan.Holder {
        SubordinateIDPlan.Holder(
            name: try #require(UserName(name)),
            uid: uid,
            formerNames: former.compactMap { UserName($0) }
        )
    }

    /// A plan over `slots` ranges, from `first` on.
    private func plan(
        _ holders: [SubordinateIDPlan.Holder],
        users: String = "",
        groups: String = "",
        slots: UInt32 = 4,
        taken: [ClosedRange<UInt32>] = []
    ) -> SubordinateIDPlan {
        SubordinateIDPlan(
            for: holders,
            users: SubordinateIDFile(parsing: Array(users.utf8)),
            groups: SubordinateIDFile(parsing: Array(groups.utf8)),
            numbers: Self.first...Self.first + slots * 65_536 - 1,
            taken: taken
        )
    }

    private func slot(_ number: UInt32) -> ClosedRange<UInt32> {
        SubordinateIDPlan.range(Self.first + number * 65_536)
    }

    private func text(_ file: SubordinateIDFile) -> String { String(decoding: file.bytes, as: UTF8.self) }

    @Test(
        "A range of 65,536 by name in both files, at the place that the uid points to; the second run changes nothing"
    )
    func gets() throws {
        let people = [
            try holder(Self.alice, 1_999_259_362), try holder("0f8fad5b-d9cb-469f-a165-70867728950e", 1_999_259_363),
        ]
        let plan = plan(people, users: "lisa:100000:65536\n", groups: "lisa:100000:65536\n")
        #expect(plan.outcomes.map(\.outcome) == [.gets(slot(1_999_259_362 % 4)), .gets(slot(1_999_259_363 % 4))])
        let lines = """
            lisa:100000:65536
            \(Self.alice):\(slot(2).lowerBound):65536
            0f8fad5b-d9cb-469f-a165-70867728950e:\(slot(3).lowerBound):65536

            """
        #expect(text(plan.users) == lines && text(plan.groups) == lines)
        let again = self.plan(people, users: lines, groups: lines)
        #expect(again.outcomes.map(\.outcome) == [.has(slot(2)), .has(slot(3))])
        #expect(
            again.users.bytes == plan.users.bytes && again.groups.bytes == plan.groups.bytes && again.freeCount == 2
        )
    }

    @Test(
        "A number that somebody else has is in no range: lines of either file, by name or number, damaged ones, other ids",
        arguments: [
            ("lisa:1073807360:1\n", "", [] as [ClosedRange<UInt32>]), ("", "1000:1073872895:65536\n", []),
            ("x:1:99999999999999\n", "", []), ("", "old@contoso.com:0x40010000:65536", []),
            ("", "", [1_073_807_361...1_073_807_361]), ("", "", [0...1_073_807_360]),
        ]
    )
    func others(users: String, groups: String, taken: [ClosedRange<UInt32>]) throws {
        let plan = plan([try holder(Self.alice, 1)], users: users, groups: groups, taken: taken)
        let outcome = try #require(plan.outcomes.first?.outcome)
        if users.hasPrefix("x") {
            #expect(outcome == .refused(.exhausted) && plan.freeCount == 0)
        } else {
            #expect(outcome != .gets(slot(1)))
        }
    }

    @Test("Ranges never meet each other, and when the last one is gone there is a refusal, which writes nothing")
    func exhausted() throws {
        let people = try (0..<6).map { try holder("user\($0)@contoso.com", 7) }
        let plan = plan(people)
        let given = plan.outcomes.compactMap { _, outcome in if case .gets(let range) = outcome { range } else { nil } }
        #expect(given == [slot(3), slot(0), slot(1), slot(2)])
        #expect(plan.outcomes.suffix(2).map(\.outcome) == [.refused(.exhausted), .refused(.exhausted)])
        #expect(plan.users.lines.count == 4 && plan.groups.lines.count == 4 && plan.freeCount == 0)
        #expect(
            self.plan(people, slots: 0 + 1).outcomes.map(\.outcome).dropFirst().allSatisfy {
                $0 == .refused(.exhausted)
            }
        )
    }

    @Test("What is left of a range at the end of SubordinateIDRange= is no range")
    func rest() throws {
        let numbers = Self.first...Self.first + 65_536 + 65_534
        let people = [try holder(Self.alice, 0), try holder("bob@contoso.com", 1)]
        let empty = SubordinateIDFile(parsing: [])
        let plan = SubordinateIDPlan(for: people, users: empty, groups: empty, numbers: numbers, taken: [])
        #expect(plan.outcomes.map(\.outcome) == [.gets(slot(0)), .refused(.exhausted)])
        let last = UInt32.max - 131_071...UInt32.max - 65_536
        let high = SubordinateIDPlan(for: people, users: empty, groups: empty, numbers: last, taken: [])
        #expect(high.outcomes.first?.outcome == .gets(last))
    }

    @Test("Lines that root wrote count, by name or by number; both forms together are named, and nothing is added")
    func byHand() throws {
        let people = [try holder(Self.alice, 42)]
        let byName = plan(people, users: "\(Self.alice):5:9\n", groups: "\(Self.alice):7:1\n")
        #expect(byName.outcomes.first?.outcome == .has(5...13))
        let byNumber = plan(people, users: "42:5:9\n", groups: "42:5:9\n")
        #expect(byNumber.outcomes.first?.outcome == .has(5...13))
        for plan in [
            plan(people, users: "42:5:9\n\(Self.alice):5:9", groups: "42:5:9\n"),
            plan(people, users: "42:5:9\n", groups: "\(Self.alice):5:9"),
        ] {
            #expect(plan.outcomes.first?.outcome == .refused(.twoForms))
        }
        #expect(text(byName.users) == "\(Self.alice):5:9\n" && text(byNumber.groups) == "42:5:9\n")
    }

    @Test(
        "After a crash between the two files the same numbers follow in the other; where they are not free there, a refusal"
    )
    func half() throws {
        let people = [try holder(Self.alice, 1)]
        let line = "\(Self.alice):\(slot(2).lowerBound):65536\n"
        for plan in [plan(people, users: line), plan(people, groups: line)] {
            #expect(plan.outcomes.first?.outcome == .gets(slot(2)))
            #expect(text(plan.users) == line && text(plan.groups) == line)
        }
        let used = plan(people, users: line, groups: "lisa:\(slot(2).upperBound):1\n")
        #expect(used.outcomes.first?.outcome == .refused(.half(path: "/etc/subuid")))
        #expect(text(used.groups) == "lisa:\(slot(2).upperBound):1\n")
        let strange = plan(people, groups: "\(Self.alice):5:9\n")
        #expect(strange.outcomes.first?.outcome == .refused(.half(path: "/etc/subgid")) && strange.users.bytes.isEmpty)
        let taken = plan(people, users: line, taken: [slot(2).lowerBound...slot(2).lowerBound])
        #expect(taken.outcomes.first?.outcome == .refused(.half(path: "/etc/subuid")))
    }

    @Test("A range follows its account to a new name, and is never given to anybody else")
    func renamed() throws {
        let lines = "alice@contoso.com:\(slot(1).lowerBound):65536\nbob@contoso.com:\(slot(2).lowerBound):65536\n"
        let people = [try holder("alicia@contoso.com", 2, ["alice@contoso.com"])]
        let plan = plan(people, users: lines, groups: lines)
        #expect(plan.outcomes.first?.outcome == .has(slot(1)))
        #expect(text(plan.users) == lines.replacing("alice@", with: "alicia@"))
        #expect(text(plan.groups) == text(plan.users))
        // bob is retired, and the numbers of his line stay his.
        let next = self.plan([try holder("carl@contoso.com", 2)], users: lines, groups: lines)
        #expect(next.outcomes.first?.outcome == .gets(slot(3)))
    }

    @Test("A line that was lost comes back with the same numbers where they are free")
    func lost() throws {
        let uid: UInt32 = 1_999_259_362
        let before = plan([try holder(Self.alice, uid)], slots: 12_288)
        let after = plan([try holder("bob@contoso.com", 1_888_888_888), try holder(Self.alice, uid)], slots: 12_288)
        #expect(before.outcomes.first?.outcome == after.outcomes.last?.outcome)
    }
}
