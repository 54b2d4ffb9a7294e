// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Server
import Synchronization
import Testing
import Wire

/// A table with one answer for every name. It records the names that it is asked for, and cannot be changed.
private final class OneAnswer: AccountRegistry, AccountsView {
    private let answer: AccountStanding
    private let asked = Mutex<[UserName]>([])

    init(_ answer: AccountStanding) { self.answer = answer }

    var names: [UserName] { asked.withLock { $0 } }

    func view() -> OneAnswer { self }

    func standing(of name: UserName) -> AccountStanding {
        asked.withLock { $0.append(name) }
        return answer
    }

    func enrolled(uid: UInt32) -> EnrolledAccount? { nil }

    func enrolled(named name: UserName) -> EnrolledAccount? { nil }

    func holder(ofSystemUID uid: UInt32) -> UIDHolder { .other }
    func listed(_ name: UserName) -> MappedPerson? { nil }
    func allEnrolled() -> [EnrolledAccount] { [] }

    func enrol(_ account: Account, as identity: DirectoryIdentity) async throws(Denial) -> EnrolledAccount {
        Issue.record("a look-up enrolled \(account.name)")
        throw Denial(.enrolmentFailed)
    }
}

@Suite struct NameServiceTests {
    private func look(_ registry: OneAnswer, _ name: String, _ command: String, callers: [String] = ["sshd"])
        -> Response
    {
        NameService(registry: registry, provisionalCallers: callers).look(up: name, for: command)
    }

    @Test("Somebody who is enrolled is known to every process", arguments: ["sshd", "ls", "", "tar"])
    func enrolled(_ command: String) throws {
        let person = EnrolledAccount(
            account: try account(),
            identity: try identity(),
            enrolledAt: UnixTime(seconds: 1_700_000_000)
        )
        #expect(
            look(OneAnswer(.enrolled(person)), "alice@contoso.com", command) == .account(try account())
        )
    }

    @Test("P7: of a mapped account there are groups to tell, and no record")
    func mapped() throws {
        let person = try #require(MappedPerson(name: account().name, objectID: identity().objectID, uid: 1001))
        let local = LocalAccounts(
            passwd: Array("\(person.name):\(MappingList.mark):1001:1001::/home/alice:/bin/sh\n".utf8),
            group: [],
            mapped: try #require(MappingList([person]))
        )
        let mapped = try account().mapped(as: try #require(local.mapped(uid: 1001)))
        let expected = mapped.forGroupsAlone
        #expect(expected.home == "//" && mapped.home == "/home/alice")
        #expect(look(OneAnswer(.provisional(mapped)), "alice@contoso.com", "sshd") == .account(expected))
        #expect(look(OneAnswer(.provisional(mapped)), "alice@contoso.com", "tar") == .notFound)
    }

    @Test("P3: who never signed in exists for sshd only", arguments: ["sshd", "sshd-session", "sshd-auth"])
    func provisional(_ command: String) throws {
        let registry = OneAnswer(.provisional(try account()))
        #expect(look(registry, "alice@contoso.com", command) == .account(try account()))
    }

    @Test(
        "P7: to other programs, names that never signed in are unknown",
        arguments: ["", "ssh", "chown", "tar", "xsshd", "SSHD", " sshd", "master"]
    )
    func others(_ command: String) throws {
        #expect(look(OneAnswer(.provisional(try account())), "alice@contoso.com", command) == .notFound)
    }

    @Test("ProvisionalCallers= may name others, or nobody")
    func callers() throws {
        let registry = OneAnswer(.provisional(try account()))
        let callers = ["sshd", "dropbear"]
        #expect(
            look(registry, "alice@contoso.com", "dropbear", callers: callers) == .account(try account())
        )
        #expect(look(registry, "alice@contoso.com", "sshd", callers: []) == .notFound)
    }

    @Test(
        "P7: what cannot be an Entra name is not even looked for",
        arguments: ["", "root", "Alice@contoso.com", "alice", "alice@", "@contoso.com", "a b@contoso.com", "../x@y.z"]
    )
    func notOurs(_ name: String) throws {
        let registry = OneAnswer(.provisional(try account()))
        #expect(look(registry, name, "sshd") == .notFound)
        #expect(registry.names.isEmpty)
    }

    @Test("P8: no is \"not found\", undecided is \"unavailable\"", arguments: DenialReason.allCases)
    func refusals(_ reason: DenialReason) {
        let expected: Response = reason.isUndecided ? .unavailable : .notFound
        #expect(look(OneAnswer(.none(Denial(reason))), "alice@contoso.com", "sshd") == expected)
    }

    @Test("The name is asked for as it came, and its account is the answer")
    func record() throws {
        let registry = OneAnswer(.provisional(try account()))
        #expect(look(registry, "alice@contoso.com", "sshd") == .account(try account()))
        #expect(registry.names == [try name("alice@contoso.com")])
    }
}
