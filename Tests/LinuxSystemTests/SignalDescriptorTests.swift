// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Synchronization
import Testing

@Suite struct SignalDescriptorTests {
    @Test func `signals are read one by one, and nothing when none has come`() throws {
        let seen = Mutex<[UnixSignal?]>([])
        // On a thread of its own: the signals are blocked on it and sent to it, so they reach no other test.
        let thread = try NativeThread(named: "signals") {
            guard let signals = try? SignalDescriptor() else { return }
            for number in [SIGHUP, SIGTERM, SIGINT] {
                pthread_kill(pthread_self(), number)
                let signal = try? signals.next()
                seen.withLock { $0.append(signal) }
            }
            let rest = try? signals.next()
            seen.withLock { $0.append(rest) }
        }
        thread.join()
        #expect(seen.withLock { $0 } == [.hangUp, .terminate, .interrupt, nil])
    }

    @Test func `the numbers are the system's`() {
        #expect(UnixSignal.allCases.map(\.rawValue) == [SIGHUP, SIGINT, SIGTERM])
    }

    @Test func `a loop hears a signal that its thread has blocked`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let signals = try SignalDescriptor([.terminate])
            let loop = try EventLoop()
            _ = try loop.watch(signals.descriptor, for: .readable) { _ in loop.stop() }
            // The loop runs on this thread, which has the signal blocked. Other threads of this process may not, so the
            // signal goes to this one.
            pthread_kill(pthread_self(), SIGTERM)
            loop.run()
            exit(try signals.next() == .terminate ? 7 : 1)
        }
    }

    @Test func `a peer that has gone does not end the process`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            SignalDescriptor.ignoreBrokenPipes()
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0, close(ends[0]) == 0 else { exit(1) }
            exit(write(ends[1], "x", 1) == -1 && errno == EPIPE ? 7 : 2)
        }
    }
}
