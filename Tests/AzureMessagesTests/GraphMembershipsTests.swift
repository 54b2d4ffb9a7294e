// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@testable import AzureMessages

struct GraphMembershipsTests {
    private static let ids = (1...21).map { number in
        "9f0a0000-0000-4000-8000-0000000000\(number < 16 ? "0" : "")\(String(number, radix: 16))"
    }

    private func question(_ count: Int) throws -> MembershipQuestion? {
        let person = try #require(ObjectID("55555555-5555-4555-8555-555555555555"))
        return MembershipQuestion(
            objectID: person,
            groups: try Self.ids.prefix(count).map { try #require(ObjectID($0)) }
        )
    }

    private func found(_ body: String, of count: Int = 3) throws -> Set<ObjectID> {
        try #require(try question(count)).memberships(parsing: Array(body.utf8))
    }

    @Test("the question has the form of the contract: from one to twenty groups, each once")
    func form() throws {
        let question = try #require(try question(2))
        #expect(question.path == "/v1.0/directoryObjects/55555555-5555-4555-8555-555555555555/checkMemberGroups")
        #expect(
            String(decoding: question.body, as: UTF8.self) == "{\"groupIds\":[\"\(Self.ids[0])\",\"\(Self.ids[1])\"]}"
        )
        let (most, more, none) = (try self.question(20), try self.question(21), try self.question(0))
        #expect(most != nil && more == nil && none == nil)
        let twice = try #require(ObjectID(Self.ids[0]))
        #expect(MembershipQuestion(objectID: question.objectID, groups: [twice, twice]) == nil)
    }

    @Test("the answer names the groups, in any order and letter case; none is an answer, too")
    func answers() throws {
        #expect(try found("{\"value\":[]}").isEmpty)
        let both = try found(
            "{\"@odata.context\":\"x\",\"value\":[\"\(Self.ids[2].uppercased())\",\"\(Self.ids[0])\"]}"
        )
        #expect(both.map(\.description).sorted() == [Self.ids[0], Self.ids[2]])
    }

    @Test(
        "P1: an id that was not asked about, one that stands twice, or anything else is no answer",
        arguments: [
            "{\"value\":[\"\(ids[3])\"]}", "{\"value\":[\"\(ids[0])\",\"\(ids[0])\"]}", "{\"value\":[\"x\"]}",
            "{\"value\":[null]}", "{\"value\":\"\(ids[0])\"}", "{}", "[\"\(ids[0])\"]", "{\"value\":[\"\(ids[0])\"",
            "{\"value\":[\"\(ids[0])\",\"\(ids[1])\",\"\(ids[2])\",\"\(ids[3])\"]}", "",
            "{\"value\":[],\"value\":[\"\(ids[0])\"]}",
        ]
    )
    func nonsense(_ body: String) {
        #expect(throws: MessageError.self) { try found(body) }
    }

    @Test("P13: every truncation is refused, and no flipped byte gives a group that was not asked about")
    func damaged() throws {
        let body = Array("{\"value\":[\"\(Self.ids[0])\"]}".utf8)
        let question = try #require(try question(1))
        for length in 0..<body.count {
            #expect(throws: MessageError.self) { try question.memberships(parsing: Array(body.prefix(length))) }
        }
        for index in body.indices {
            for bit in 0..<8 {
                var damaged = body
                damaged[index] ^= 1 << bit
                let found = (try? question.memberships(parsing: damaged)) ?? []
                #expect(found.isSubset(of: question.groups))
            }
        }
    }
}
