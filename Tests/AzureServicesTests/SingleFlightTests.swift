// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import InFlight
import Synchronization
import Testing

@testable import AzureServices

@Suite(.timeLimit(.minutes(15)))
struct SingleFlightTests {
    private typealias Board = SingleFlight<String, Int>

    /// A door that stays shut until it is opened.
    private final class Door: Sendable {
        private let stream: AsyncStream<Void>
        private let opener: AsyncStream<Void>.Continuation
        init() { (stream, opener) = AsyncStream.makeStream() }
        func open() { opener.finish() }
        func pass() async { for await _ in stream {} }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        func add() { count.withLock { $0 += 1 } }
        var value: Int { count.withLock { $0 } }
    }

    private let clock = VirtualClock()
    private func later(_ seconds: Int) -> BootTime { clock.bootTime().advanced(by: .seconds(seconds)) }

    private func board() -> Board { Board(time: clock, tasks: TaskStarterOfTests()) }

    private func join(
        _ board: Board,
        by deadline: BootTime,
        fetch: @escaping @Sendable (BootTime) async -> Board.Outcome
    ) async -> Board.Outcome {
        do throws(AccessCheckFault) {
            return .success(try await board.join("key", by: deadline, fetch: fetch))
        } catch {
            return .failure(error)
        }
    }

    @Test("a caller that joins gets the answer of the request in flight")
    func shared() async {
        let board = board()
        let door = Door()
        let flights = Counter()
        let by = later(10)
        await withTaskGroup(of: Board.Outcome.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    await join(board, by: by) { _ in
                        flights.add()
                        await door.pass()
                        return .success(7)
                    }
                }
            }
            door.open()
            for await outcome in group { #expect(outcome == .success(7)) }
        }
        #expect(flights.value >= 1)
        #expect(await join(board, by: by) { _ in .success(8) } == .success(8))
    }

    @Test("a caller with less time than the request gives up alone")
    func impatient() async {
        let board = board()
        let door = Door()
        board.begin("key", by: later(60)) { _ in
            await door.pass()
            return .success(7)
        }
        guard case .failure(let fault) = await join(board, by: later(1), fetch: { _ in .success(1) }) else {
            Issue.record("there was an answer")
            return
        }
        #expect(fault.reason == .unreachable)
        async let patient = join(board, by: later(600)) { _ in .success(9) }
        door.open()
        #expect([.success(7), .success(9)].contains(await patient))
    }

    @Test("a caller that is cancelled leaves alone, before and during the request")
    func cancelled() async {
        let board = board()
        let door = Door()
        let by = later(10)
        let begun = Door()
        let leaver = Task {
            await join(board, by: by) { _ in
                begun.open()
                await door.pass()
                return .success(7)
            }
        }
        await begun.pass()
        leaver.cancel()
        guard case .failure = await leaver.value else {
            Issue.record("it did not leave")
            return
        }
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await join(board, by: by) { _ in .success(1) }
        }
        guard case .failure = await early.value else {
            Issue.record("it did not leave")
            return
        }
        async let other = join(board, by: by) { _ in .success(9) }
        door.open()
        #expect([.success(7), .success(9)].contains(await other))
    }

    @Test("a request that ended with another caller's deadline is repeated by one that has time left")
    func secondFlight() async {
        let board = board()
        let door = Door()
        let clock = clock
        board.begin("key", by: later(1)) { deadline in
            await door.pass()
            await clock.sleep(until: deadline)
            return .failure(AccessCheckFault(.unreachable, detail: "late"))
        }
        async let patient = join(board, by: later(60)) { _ in .success(9) }
        for _ in 0..<1000 { await Task.yield() }
        door.open()
        #expect(await patient == .success(9))
    }
}
