// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Testing

@Suite struct ErrnoTests {
    @Test func `an errno says its sentence and its number`() {
        #expect(Errno(ENOSPC).description == "No space left on device (errno 28)")
        #expect(Errno(99_999).description.contains("99999"))
    }

    @Test func `the last errno is that of the call that failed`() {
        #expect(open("/nowhere/at/all", O_RDONLY) == -1)
        #expect(Errno.last == .noEntry)
    }

    @Test func `an interrupted call is repeated, another failure is thrown`() throws {
        var calls = 0
        let result = try retryingOnInterrupt { () -> Int in
            calls += 1
            errno = EINTR
            return calls < 3 ? -1 : 7
        }
        #expect(result == 7)
        #expect(calls == 3)
        #expect(throws: Errno.noSpace) {
            try retryingOnInterrupt { () -> Int in
                errno = ENOSPC
                return -1
            }
        }
    }
}
