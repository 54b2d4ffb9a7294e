// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing

@testable import Systemd

/// Accepts records only while it is open; `write` waits until then.
private final class GatedOutput: RecordOutput {
    private let taken = Mutex<[LogRecord]>([])
    private let open: Mutex<Bool>
    private let fails: Bool

    init(isOpen: Bool, fails: Bool = false) {
        open = Mutex(isOpen)
        self.fails = fails
    }

    var messages: [String] { taken.withLock { $0.map(\.message) } }
    var records: [LogRecord] { taken.withLock { $0 } }

    func setOpen(_ isOpen: Bool) { open.withLock { $0 = isOpen } }

    func writeNow(_ record: LogRecord) -> Bool {
        guard !fails, open.withLock({ $0 }) else { return false }
        taken.withLock { $0.append(record) }
        return true
    }

    func write(_ record: LogRecord) -> Bool {
        while !open.withLock({ $0 }) { sched_yield() }
        return writeNow(record)
    }
}

private func record(_ message: String) -> LogRecord { LogRecord(.notice, message, []) }

private func lost(_ lost: LostRecords) -> LogRecord { LogRecord(.warning, "lost \(lost.count)", []) }

struct RecordBacklogTests {
    @Test("P15: what an output takes at once never waits")
    func open() throws {
        let output = GatedOutput(isOpen: true)
        let journal = try Journal(output, loss: lost)
        for number in 0..<5 { journal.write(record("\(number)")) }
        #expect(output.messages == ["0", "1", "2", "3", "4"])
        #expect(journal.standing == Journal.Standing(waiting: 0, delay: .zero, lost: 0))
    }

    @Test("P15: beyond the bound records are lost and counted; the record that says so stands where they would")
    func full() async throws {
        let output = GatedOutput(isOpen: false)
        let journal = try Journal(output, loss: lost)
        for number in 0..<RecordBacklog.longest + 7 { journal.write(record("\(number)")) }
        #expect(journal.standing.waiting == RecordBacklog.longest && journal.standing.lost == 7)
        output.setOpen(true)
        while journal.standing.waiting > 0 { await Task.yield() }
        journal.write(record("afterwards"))
        #expect(output.messages == (0..<RecordBacklog.longest).map(String.init) + ["lost 7", "afterwards"])
        #expect(journal.standing.lost == 7)
    }

    @Test("What is still lost while others wait again is told in its place, and each loss once")
    func places() {
        var backlog = RecordBacklog(describe: lost)
        for number in 0..<RecordBacklog.longest + 2 { backlog.add(record("\(number)"), now: .seconds(1)) }
        for _ in 0..<2 { backlog.removeFirst(isWritten: true, now: .seconds(2)) }
        backlog.add(record("new"), now: .seconds(3))
        backlog.add(record("too much"), now: .seconds(3))
        var messages: [String] = []
        while let first = backlog.first {
            messages.append(first.record.message)
            backlog.removeFirst(isWritten: true, now: .seconds(4))
        }
        #expect(messages.suffix(4) == ["\(RecordBacklog.longest - 1)", "lost 2", "new", "lost 1"])
        #expect(backlog.lost == 3 && backlog.isClear)
    }

    @Test("Bytes are bounded, too: of long records fewer wait")
    func bytes() {
        var backlog = RecordBacklog(describe: lost)
        let long = LogRecord(.notice, "", [LogField("X", String(repeating: "x", count: 10_000))])
        for _ in 0..<RecordBacklog.longest { backlog.add(long, now: .zero) }
        #expect(backlog.count == RecordBacklog.bytes / long.size)
        #expect(backlog.count + backlog.lost == RecordBacklog.longest)
    }

    @Test("An output that fails for good loses records, which are counted once, and is not asked for ever")
    func failing() async throws {
        let output = GatedOutput(isOpen: true, fails: true)
        let journal = try Journal(output, loss: lost)
        for number in 1...3 {
            journal.write(record("\(number)"))
            while journal.standing.waiting > 0 { await Task.yield() }
            #expect(journal.standing.lost == number)
        }
        #expect(output.messages.isEmpty)
    }

    @Test("A record of a loss that is itself not written is told again, with all that were lost")
    func toldAgain() {
        var backlog = RecordBacklog(describe: lost)
        backlog.add(record("1"), now: .zero)
        backlog.removeFirst(isWritten: false, now: .seconds(1))
        backlog.add(record("2"), now: .seconds(2))
        #expect(backlog.first?.record.message == "lost 1")
        backlog.removeFirst(isWritten: false, now: .seconds(3))
        backlog.removeFirst(isWritten: true, now: .seconds(3))
        #expect(backlog.first?.record.message == "lost 1" && backlog.lost == 1)
        #expect(backlog.first?.told == LostRecords(count: 1, elapsed: .seconds(2)))
    }
}
