// SPDX-License-Identifier: Apache-2.0

import LinuxSystem
import Synchronization
import Testing

/// How many calls run now, ran at once at most, and ran in total.
private final class Occupancy: Sendable {
    private let state = Mutex((now: 0, most: 0, total: 0))

    var most: Int { state.withLock { $0.most } }
    var total: Int { state.withLock { $0.total } }

    func enter() {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
            state.total += 1
        }
    }

    func leave() { state.withLock { $0.now -= 1 } }
}

@Suite struct BlockingWorkerTests {
    private struct Refusal: Error, Equatable {}

    @Test func `work runs off the loop, and its task goes on on the loop`() async throws {
        let worker = try BlockingWorker(named: "test-worker")
        try await withRunningLoop { loop in
            let places = await onLoop(loop) {
                let before = loop.isOnLoop
                let during = await worker.run { loop.isOnLoop }
                return [before, during, loop.isOnLoop]
            }
            #expect(places == [true, false, true])
        }
    }

    @Test func `an error of the work is the caller's, with its type`() async throws {
        let worker = try BlockingWorker(named: "test-worker")
        await #expect(throws: Refusal()) {
            try await worker.run { () throws(Refusal) -> Int in throw Refusal() }
        }
        #expect(await worker.run { 7 } == 7)
    }

    @Test func `a thousand pieces run one at a time`() async throws {
        let worker = try BlockingWorker(named: "test-worker")
        let occupancy = Occupancy()
        await withDiscardingTaskGroup { group in
            for _ in 0..<1000 {
                group.addTask {
                    await worker.run {
                        occupancy.enter()
                        occupancy.leave()
                    }
                }
            }
        }
        #expect(occupancy.most == 1)
        #expect(occupancy.total == 1000)
    }

    @Test func `work that is queued when the worker is let go of is still done`() async throws {
        let occupancy = Occupancy()
        await withDiscardingTaskGroup { group in
            for _ in 0..<10 {
                group.addTask {
                    guard let worker = try? BlockingWorker(named: "short-lived") else { return }
                    await worker.run { occupancy.enter() }
                }
            }
        }
        #expect(occupancy.total == 10)
    }
}
