// SPDX-License-Identifier: Apache-2.0

import Authorization
import CClient
import CWire
import Glibc
import PAM
import Synchronization
import TestSupport
import Testing
import Wire

@Suite("PAM: jobs, and Azure's first answer", .timeLimit(.minutes(5)))
struct PAMBatchTests {
    private typealias Run = (result: Int32, requests: [[UInt8]], lines: [String])

    private static func verdict(_ verdict: UInt32, _ text: String = "") -> FakeDaemon.Answer {
        .frame(Frame.verdict(verdict, text).bytes(ENTRALOGIN_AUTHORIZE))
    }

    private static let pending = verdict(ENTRALOGIN_VERDICT_PENDING)

    /// Runs the account stage with a daemon that gives the answers one after the other and repeats the last one.
    private func run(
        _ stack: FakeStack,
        _ answers: [FakeDaemon.Answer],
        hasAnswered: Bool = true,
        times: (deadline: Int32, silence: Int32) = (60_000, 10_000)
    ) -> Run {
        let rest = Mutex(answers)
        let daemon = FakeDaemon { _ in rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? .close } }
        defer { daemon.stop() }
        let result = daemon.withServer {
            stack.run(
                .account,
                $0,
                hasAnswered: hasAnswered,
                batchTimes: entralogin_batch_times(deadline: times.deadline, silence: times.silence, pause: 1)
            )
        }
        return (result, daemon.requests, stack.lines)
    }

    private func waits(_ request: [UInt8]) -> Bool? {
        guard case .authorize(let account) = try? Request(frame: request) else { return nil }
        return account.waits
    }

    @Test(
        "P9: a job waits while the daemon has no answer of Azure's, and takes the first that comes",
        arguments: ["cron", "crond", "atd", "systemd-user"]
    )
    func waiting(service: String) {
        let results: [(UInt32, Int32)] = [
            (ENTRALOGIN_VERDICT_ALLOW, PAM_SUCCESS), (ENTRALOGIN_VERDICT_DENY, PAM_PERM_DENIED),
            (ENTRALOGIN_VERDICT_IGNORE, PAM_IGNORE), (ENTRALOGIN_VERDICT_UNDECIDABLE, PAM_AUTHINFO_UNAVAIL),
        ]
        for (verdict, result) in results {
            let seen = run(FakeStack(service: service), [Self.pending, Self.pending, Self.verdict(verdict, "Why")])
            #expect(seen.result == result && seen.lines == ["Why"])
            #expect(seen.requests.map(waits) == [true, true, true])
        }
    }

    @Test("P9: nobody else waits: sign-in, sudo, and a job's service that an Entra account runs")
    func others() {
        let stacks = ["sshd", "login", "sudo", "su", "cron2", "polkit-1"].map { FakeStack(service: $0) }
        for stack in stacks + [FakeStack(service: "cron", invoking: FakeStack.name)] {
            let seen = run(stack, [Self.pending, Self.verdict(ENTRALOGIN_VERDICT_ALLOW)])
            #expect(seen.result == PAM_AUTHINFO_UNAVAIL && seen.lines.count == 1)
            #expect(seen.requests.map(waits) == [false])
        }
    }

    @Test("P9: after the whole time the last question asks for a decision, and is the last")
    func deadline() {
        let asked = Mutex<[Bool?]>([])
        let daemon = FakeDaemon { request in
            let isWaiting = waits(request)
            asked.withLock { $0.append(isWaiting) }
            return isWaiting == true ? Self.pending : Self.verdict(ENTRALOGIN_VERDICT_UNDECIDABLE, "Not yet")
        }
        defer { daemon.stop() }
        let stack = FakeStack(service: "systemd-user")
        let times = entralogin_batch_times(deadline: 600, silence: 10_000, pause: 20)
        var result: Int32 = 0
        let took = elapsed { result = daemon.withServer { stack.run(.account, $0, batchTimes: times) } }
        #expect(result == PAM_AUTHINFO_UNAVAIL && stack.lines == ["Not yet"])
        #expect(took >= .milliseconds(580))
        let words = asked.withLock { $0 }
        #expect(words.last == false && words.dropLast().allSatisfy { $0 == true })
        #expect(words.count <= 32, "it pauses between two questions")
    }

    @Test("P9: a daemon that says not yet for ever is left in the end, undecided")
    func endless() {
        let seen = run(FakeStack(service: "cron"), [Self.pending], times: (300, 10_000))
        #expect(seen.result == PAM_AUTHINFO_UNAVAIL && seen.lines.count == 1)
        #expect(waits(seen.requests.last ?? []) == false)
    }

    @Test("P9: while nobody answers, a job waits as ever, and all the time where Azure has not answered since boot")
    func nobody() {
        let nowhere = TemporaryFolder()
        for (hasAnswered, deadline, atLeast) in [(true, Int32(60_000), 100), (false, 1_000, 960)] {
            let stack = FakeStack(service: "atd")
            let times = entralogin_batch_times(deadline: deadline, silence: 100, pause: 20)
            var result: Int32 = 0
            let took = elapsed {
                result = nowhere("control.sock").withCString {
                    let server = entralogin_server(path: $0, root: geteuid())
                    return stack.run(.account, server, hasAnswered: hasAnswered, batchTimes: times)
                }
            }
            #expect(result == PAM_AUTHINFO_UNAVAIL && stack.lines.count == 1)
            #expect(took >= .milliseconds(atLeast) && took < .seconds(30))
        }
    }

    @Test("P9: a daemon that starts, or is killed, between two questions is asked again")
    func restarted() {
        let seen = run(FakeStack(service: "cron"), [.close, .close, Self.verdict(ENTRALOGIN_VERDICT_ALLOW)])
        #expect(seen.result == PAM_SUCCESS && seen.requests.count == 3)
    }

    @Test("A broken answer is none to wait for")
    func broken() {
        let opcode = ENTRALOGIN_AUTHORIZE
        let frames = [
            Frame.verdict(5).bytes(opcode), Frame.verdict(4).adding([0]).bytes(opcode),
            Frame.verdict(4).bytes(ENTRALOGIN_OPEN_SESSION), Frame.verdict(4).bytes(opcode, version: 2), [0],
        ]
        for frame in frames {
            let seen = run(FakeStack(service: "cron"), [.frame(frame), Self.verdict(ENTRALOGIN_VERDICT_ALLOW)])
            #expect(seen.result == PAM_AUTHINFO_UNAVAIL && seen.requests.count == 1)
        }
    }
}
