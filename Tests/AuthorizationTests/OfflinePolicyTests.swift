// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing

@Suite struct OfflinePolicyTests {
    private func earlier(_ role: Role?, answeredAt seconds: Int) throws -> CachedAnswer {
        var cache = DecisionCache()
        return cache.store(
            Samples.answer(role),
            correlation: try Samples.correlation(),
            for: try Samples.key(),
            at: Samples.time(seconds)
        )
    }

    @Test("P1: an earlier allow stands in for up to the grace, counted from Azure's answer", arguments: Role.all)
    func withinGrace(role: Role) throws {
        let policy = OfflinePolicy(grace: .seconds(3600))
        let earlier = try earlier(role, answeredAt: 100)
        let standIn = policy.standIn(for: .unreachable, earlier: earlier, at: Samples.time(3699))
        #expect(standIn == OfflinePolicy.StandIn(role: role, until: Samples.time(3700)))
        #expect(policy.standIn(for: .unreachable, earlier: earlier, at: Samples.time(3700)) == nil)
    }

    @Test("P1: an unknown person gets no grace")
    func unknown() {
        let policy = OfflinePolicy(grace: .seconds(3600))
        #expect(policy.standIn(for: .unreachable, earlier: nil, at: Samples.time(1)) == nil)
    }

    @Test("P2: a denied person gets no grace")
    func denied() throws {
        let policy = OfflinePolicy(grace: .seconds(3600))
        let earlier = try earlier(nil, answeredAt: 0)
        #expect(policy.standIn(for: .unreachable, earlier: earlier, at: Samples.time(1)) == nil)
    }

    @Test("A grace of zero, or less, is off", arguments: [0, -1])
    func off(seconds: Int) throws {
        let policy = OfflinePolicy(grace: .seconds(seconds))
        let earlier = try earlier(.user, answeredAt: 10)
        #expect(policy.standIn(for: .unreachable, earlier: earlier, at: Samples.time(10)) == nil)
    }

    @Test("P1: only an outage is bridged; every other fault denies", arguments: DenialReason.allCases)
    func reasons(reason: DenialReason) throws {
        let policy = OfflinePolicy(grace: .seconds(3600))
        let standIn = policy.standIn(for: reason, earlier: try earlier(.user, answeredAt: 0), at: Samples.time(1))
        #expect((standIn != nil) == [.unreachable, .throttled, .metadataClosed, .roleUnconfirmed].contains(reason))
    }
}

extension Role {
    static let all: [Role] = [.user, .administrator]
}
