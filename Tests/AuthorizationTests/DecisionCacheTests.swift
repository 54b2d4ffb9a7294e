// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing

@Suite struct DecisionCacheTests {
    private func cache(ceiling: Int = 300, retention: Int = 86_400, capacity: Int = 4096) -> DecisionCache {
        DecisionCache(
            limits: DecisionCache.Limits(
                ceiling: .seconds(ceiling),
                retention: .seconds(retention),
                capacity: capacity
            )
        )
    }

    private func role(_ finding: DecisionCache.Finding) -> String {
        switch finding {
        case .fresh(let answer): "fresh \(answer.role?.rawValue ?? "none")"
        case .refused(let answer): "refused \(answer.role?.rawValue ?? "none")"
        case .stale(let answer): "stale \(answer.role?.rawValue ?? "none")"
        case .unknown: "unknown"
        }
    }

    private func found(_ cache: DecisionCache, _ number: Int = 1, maximumAge: Int = 300, at seconds: Int) throws
        -> String
    {
        role(cache.finding(for: try Samples.key(number), youngerThan: .seconds(maximumAge), at: Samples.time(seconds)))
    }

    @Test("P1: nobody is known before Azure has answered")
    func unknown() throws {
        #expect(try found(cache(), at: 10) == "unknown")
    }

    @Test(
        "An allow is fresh for the smaller of Azure's lifetime and the ceiling",
        arguments: [(nil, 300), (30, 30), (900, 300), (0, 0), (-5, 0)] as [(Int?, Int)]
    )
    func lifetime(given: Int?, expected: Int) throws {
        var cache = cache()
        let answer = Samples.answer(.user, lifetime: given.map { .seconds($0) })
        cache.store(answer, correlation: try Samples.correlation(), for: try Samples.key(), at: Samples.time(100))
        if expected > 0 { #expect(try found(cache, at: 100 + expected - 1) == "fresh user") }
        #expect(try found(cache, at: 100 + expected) == "stale user")
    }

    @Test("P2: what is taken from a kept yes is gone, and makes it no younger; nothing is given by it")
    func lowered() throws {
        var cache = cache()
        let key = try Samples.key()
        cache.lower(key, to: .user)
        #expect(cache.lastAnswer(for: key, at: Samples.time(1)) == nil)
        cache.store(
            Samples.answer(.administrator),
            correlation: try Samples.correlation(),
            for: key,
            at: Samples.time(5)
        )
        cache.lower(key, to: .administrator)
        #expect(cache.lastAnswer(for: key, at: Samples.time(6))?.role == .administrator)
        cache.lower(key, to: .user)
        let kept = cache.lastAnswer(for: key, at: Samples.time(6))
        #expect(kept?.role == .user && kept?.answeredAt == Samples.time(5))
        cache.store(Samples.answer(nil), correlation: try Samples.correlation(), for: key, at: Samples.time(7))
        cache.lower(key, to: .user)
        #expect(cache.lastAnswer(for: key, at: Samples.time(8))?.role == nil)
    }

    @Test("A caller may ask for a younger decision than the cache holds")
    func maximumAge() throws {
        var cache = cache()
        cache.store(
            Samples.answer(.administrator),
            correlation: try Samples.correlation(),
            for: try Samples.key(),
            at: Samples.time(0)
        )
        #expect(try found(cache, maximumAge: 60, at: 60) == "fresh administrator")
        #expect(try found(cache, maximumAge: 60, at: 61) == "stale administrator")
        #expect(try found(cache, maximumAge: 300, at: 61) == "fresh administrator")
    }

    @Test("A no stands for at most 60 seconds, whatever Azure and the settings say")
    func refusalLifetime() throws {
        var cache = DecisionCache(limits: DecisionCache.Limits(refusalCeiling: .seconds(3600)))
        cache.store(
            Samples.answer(nil, lifetime: .seconds(3600)),
            correlation: try Samples.correlation(),
            for: try Samples.key(),
            at: Samples.time(0)
        )
        #expect(try found(cache, at: 59) == "refused none")
        #expect(try found(cache, at: 60) == "stale none")
    }

    @Test("P2: a no replaces an earlier allow, and nothing of the allow comes back when the no has expired")
    func refusalEndsAllow() throws {
        var cache = cache()
        let id = try Samples.correlation()
        let key = try Samples.key()
        cache.store(Samples.answer(.administrator), correlation: id, for: key, at: Samples.time(0))
        cache.store(Samples.answer(nil, lifetime: .seconds(10)), correlation: id, for: key, at: Samples.time(5))
        for second in [5, 14] { #expect(try found(cache, at: second) == "refused none") }
        for second in [15, 100, 299, 86_000] { #expect(try found(cache, at: second) == "stale none") }
    }

    @Test("P1: an answer holds for one object id on one resource only")
    func keyed() throws {
        var cache = cache()
        cache.store(
            Samples.answer(.user),
            correlation: try Samples.correlation(),
            for: try Samples.key(1),
            at: Samples.time(0)
        )
        #expect(try found(cache, 2, at: 1) == "unknown")
        let elsewhere = try Samples.key(1, on: "vm2")
        #expect(cache.finding(for: elsewhere, youngerThan: .seconds(300), at: Samples.time(1)) == .unknown)
    }

    @Test("An answer older than the retention is forgotten")
    func retention() throws {
        var cache = cache(retention: 1000)
        let key = try Samples.key()
        cache.store(Samples.answer(.user), correlation: try Samples.correlation(), for: key, at: Samples.time(0))
        #expect(try found(cache, at: 1000) == "stale user")
        #expect(try found(cache, at: 1001) == "unknown")
        #expect(cache.lastAnswer(for: key, at: Samples.time(1000))?.role == .user)
        #expect(cache.lastAnswer(for: key, at: Samples.time(1001)) == nil)
        cache.prune(at: Samples.time(1001))
        #expect(cache.count == 0)
    }

    @Test("P13: the cache is bounded, and the oldest answer makes room")
    func bounded() throws {
        var cache = cache(capacity: 3)
        let id = try Samples.correlation()
        for number in 1...5 {
            cache.store(Samples.answer(.user), correlation: id, for: try Samples.key(number), at: Samples.time(number))
        }
        #expect(cache.count == 3)
        #expect(try found(cache, 2, at: 6) == "unknown")
        for number in 3...5 { #expect(try found(cache, number, at: 6) == "fresh user") }
        // A new answer to a known question needs no further room.
        cache.store(Samples.answer(nil), correlation: id, for: try Samples.key(4), at: Samples.time(7))
        #expect(cache.count == 3)
        #expect(try found(cache, 3, at: 7) == "fresh user")
    }

    @Test("Flushing forgets everything")
    func flush() throws {
        var cache = cache()
        let id = try Samples.correlation()
        cache.store(Samples.answer(.user), correlation: id, for: try Samples.key(), at: Samples.time(0))
        cache.removeAll()
        #expect(try found(cache, at: 1) == "unknown")
    }
}
