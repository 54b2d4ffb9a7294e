// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Synchronization
import Testing

/// A default actor: it has no executor of its own, so it follows the task that calls it.
private actor Counter {
    private(set) var count = 0
    private let loop: EventLoop
    private(set) var wasElsewhere = false

    init(on loop: EventLoop) { self.loop = loop }

    func add() {
        count += 1
        wasElsewhere = wasElsewhere || !loop.isOnLoop
    }
}

private final class Log<Entry: Sendable>: Sendable {
    private let state = Mutex<[Entry]>([])

    var entries: [Entry] { state.withLock { $0 } }

    func append(_ entry: Entry) { state.withLock { $0.append(entry) } }
}

private struct Pipe: ~Copyable {
    let reading: Descriptor
    let writing: Descriptor

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0)
        reading = Descriptor(takingOwnership: ends[0])
        writing = Descriptor(takingOwnership: ends[1])
    }

    borrowing func put() { precondition(write(writing.rawValue, "x", 1) == 1) }
}

@Suite struct EventLoopTests {
    @Test func `a task that another thread starts runs on the loop's thread`() async throws {
        try await withRunningLoop { loop in
            #expect(!loop.isOnLoop)
            #expect(await onLoop(loop) { loop.isOnLoop })
        }
    }

    @Test func `ten thousand tasks on one default actor all run, on the loop`() async throws {
        try await withRunningLoop { loop in
            let counter = Counter(on: loop)
            let remaining = Atomic(10_000)
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let done = { @Sendable in
                    if remaining.subtract(1, ordering: .relaxed).newValue == 0 { continuation.resume() }
                }
                for _ in 0..<10_000 {
                    loop.start {
                        await counter.add()
                        done()
                    }
                }
            }
            #expect(await counter.count == 10_000)
            #expect(await !counter.wasElsewhere)
        }
    }

    @Test func `sleepers wake in the order of their times, not of their arrival`() async throws {
        try await withRunningLoop { loop in
            let log = Log<Int>()
            let begin = SystemClock.sinceBoot() + .milliseconds(20)
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                loop.start {
                    await withDiscardingTaskGroup { group in
                        for index in [3, 1, 4, 0, 2] {
                            group.addTask {
                                await loop.sleep(until: begin + .milliseconds(2 * index))
                                log.append(index)
                            }
                        }
                    }
                    continuation.resume()
                }
            }
            #expect(log.entries == [0, 1, 2, 3, 4])
            #expect(SystemClock.sinceBoot() >= begin + .milliseconds(8))
        }
    }

    @Test func `a task elsewhere can sleep on the loop, and an earlier time moves the alarm forward`() async throws {
        try await withRunningLoop { loop in
            let now = SystemClock.sinceBoot()
            let long = Task { await loop.sleep(until: now + .seconds(3600)) }
            await loop.sleep(until: now + .milliseconds(5))
            #expect(SystemClock.sinceBoot() >= now + .milliseconds(5))
            long.cancel()
            await long.value
            #expect(SystemClock.sinceBoot() < now + .seconds(600))
        }
    }

    @Test func `a time that has passed and a cancelled task do not sleep`() async throws {
        try await withRunningLoop { loop in
            await loop.sleep(until: .zero)
            await loop.sleep(until: .seconds(-5))
            let cancelled = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                await loop.sleep(until: .seconds(Int64.max))
            }
            await cancelled.value
        }
    }

    @Test func `a thousand sleepers that are cancelled while they begin all return`() async throws {
        try await withRunningLoop { loop in
            let far = SystemClock.sinceBoot() + .seconds(3600)
            await withTaskGroup { group in
                for _ in 0..<1000 { group.addTask { await loop.sleep(until: far) } }
                group.cancelAll()
            }
            #expect(SystemClock.sinceBoot() < far)
        }
    }

    @Test func `a watch is called as long as its descriptor is ready, until it is ended`() async throws {
        let pipe = Pipe()
        let descriptor = pipe.reading.rawValue
        pipe.put()
        let loop = try EventLoop()
        let calls = Log<Readiness>()
        let token = Mutex<WatchToken?>(nil)
        let watch = try loop.watch(descriptor, for: .readable) { readiness in
            calls.append(readiness)
            guard calls.entries.count == 3 else { return }
            token.withLock { $0.map { loop.unwatch($0) } }
            loop.stop()
        }
        token.withLock { $0 = watch }
        loop.run()
        #expect(calls.entries == [.readable, .readable, .readable])
        loop.unwatch(watch)
    }

    @Test func `a watch for one event is called once, though its descriptor stays ready, and has ended then`() throws {
        let pipe = Pipe()
        let clock = Pipe()
        let newcomer = Pipe()
        pipe.put()
        clock.put()
        let loop = try EventLoop()
        let calls = Log<String>()
        let turns = Log<Int>()
        let once = try loop.watchOnce(pipe.reading.rawValue, for: .readable) { _ in calls.append("once") }
        _ = try loop.watch(clock.reading.rawValue, for: .readable) { _ in
            turns.append(0)
            if turns.entries.count.isMultiple(of: 3) { loop.stop() }
        }
        loop.run()
        #expect(calls.entries == ["once"])
        // The slot of `once` now belongs to another watch, which the old token must not affect.
        _ = try loop.watch(newcomer.reading.rawValue, for: .readable) { _ in calls.append("newcomer") }
        loop.unwatch(once)
        newcomer.put()
        loop.run()
        #expect(calls.entries.first == "once")
        #expect(calls.entries.dropFirst().allSatisfy { $0 == "newcomer" } && calls.entries.count > 1)
    }

    @Test func `a watch for one event can be ended before it, and its descriptor watched again`() throws {
        let pipe = Pipe()
        let loop = try EventLoop()
        let calls = Log<String>()
        let once = try loop.watchOnce(pipe.reading.rawValue, for: .readable) { _ in calls.append("ended") }
        loop.unwatch(once)
        _ = try loop.watchOnce(pipe.reading.rawValue, for: .readable) { _ in
            calls.append("second")
            loop.stop()
        }
        pipe.put()
        loop.run()
        #expect(calls.entries == ["second"])
    }

    @Test func `a watch that another ends during the same turn is not called, nor is its slot's next owner`() throws {
        let first = Pipe()
        let second = Pipe()
        let third = Pipe()
        first.put()
        second.put()
        let loop = try EventLoop()
        let calls = Log<String>()
        let tokens = Mutex<[WatchToken]>([])
        let quiet = third.reading.rawValue
        // The watch that epoll reports first ends both watches and lets a quiet descriptor take over a slot.
        let meddle: @Sendable () -> Void = {
            calls.append("meddler")
            tokens.withLock { tokens in
                tokens.forEach { loop.unwatch($0) }
                _ = try? loop.watch(quiet, for: .readable) { _ in calls.append("newcomer") }
            }
            loop.stop()
        }
        let watches = [
            try loop.watch(first.reading.rawValue, for: .readable) { _ in meddle() },
            try loop.watch(second.reading.rawValue, for: .readable) { _ in meddle() },
        ]
        tokens.withLock { $0 = watches }
        loop.run()
        #expect(calls.entries == ["meddler"])
    }

    @Test func `a peer that has gone is reported without being asked for`() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        // Without this, a program that another test starts meanwhile would hold the pipe open.
        for end in ends { #expect(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
        let reading = Descriptor(takingOwnership: ends[0])
        let loop = try EventLoop()
        let calls = Log<Readiness>()
        let watch = try loop.watch(reading.rawValue, for: []) {
            calls.append($0)
            loop.stop()
        }
        #expect(close(ends[1]) == 0)
        loop.run()
        loop.unwatch(watch)
        #expect(calls.entries == [.hungUp])
    }

    @Test func `the same descriptor cannot be watched twice, nor can a regular file`() throws {
        let pipe = Pipe()
        let loop = try EventLoop()
        _ = try loop.watch(pipe.reading.rawValue, for: .readable) { _ in }
        #expect(throws: Errno(EEXIST)) { _ = try loop.watch(pipe.reading.rawValue, for: .readable) { _ in } }
        let file = try Descriptor.open("/proc/self/exe", O_RDONLY)
        #expect(throws: Errno(EPERM)) { _ = try loop.watch(file.rawValue, for: .readable) { _ in } }
    }

    @Test func `tasks that never rest do not starve the descriptors`() throws {
        let pipe = Pipe()
        let loop = try EventLoop()
        let isOver = Atomic(false)
        _ = try loop.watch(pipe.reading.rawValue, for: .readable) { _ in
            isOver.store(true, ordering: .relaxed)
            loop.stop()
        }
        loop.start {
            while !isOver.load(ordering: .relaxed) { await Task.yield() }
        }
        pipe.put()
        loop.run()
        let ended = isOver.load(ordering: .relaxed)
        #expect(ended)
    }

    @Test func `a loop that was stopped before it ran turns once, and runs again`() throws {
        let loop = try EventLoop()
        loop.stop()
        loop.run()
        let ran = Atomic(false)
        loop.start {
            ran.store(true, ordering: .relaxed)
            loop.stop()
        }
        loop.run()
        let hasRun = ran.load(ordering: .relaxed)
        #expect(hasRun)
        #expect(!loop.isOnLoop)
    }
}
