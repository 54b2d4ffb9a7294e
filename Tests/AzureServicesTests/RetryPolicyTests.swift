// SPDX-License-Identifier: Apache-2.0

import AzureServices
import Testing

struct RetryPolicyTests {
    private let policy = RetryPolicy(first: .seconds(1), longest: .seconds(8), attempts: 6)

    @Test("waits double up to the longest, and spread over their upper half")
    func waits() {
        let least = (1..<6).map { policy.wait(afterAttempt: $0, retryAfter: nil, jitter: 0) }
        #expect(least == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(4)])
        #expect(policy.wait(afterAttempt: 3, retryAfter: nil, jitter: 1) == .seconds(4))
        #expect(policy.wait(afterAttempt: 6, retryAfter: nil, jitter: 0) == nil)
    }

    @Test("what the service asks for is never undercut")
    func retryAfter() throws {
        for jitter in [0, 0.5, 1] {
            let wait = try #require(policy.wait(afterAttempt: 1, retryAfter: .seconds(10), jitter: jitter))
            #expect(wait >= .seconds(10) && wait <= .seconds(12))
        }
    }

    @Test(
        "Retry-After is read in seconds and bounded",
        arguments: [("7", 7), ("0", 0), ("99999999999999999999", 3600)]
    )
    func header(text: String, seconds: Int) {
        #expect(RetryPolicy.retryAfter(text) == .seconds(seconds))
    }

    @Test("what is no number of seconds is none", arguments: ["", "-1", "1.5", "Fri, 07 Nov 2031 23:59:59 GMT", nil])
    func noHeader(text: String?) {
        #expect(RetryPolicy.retryAfter(text) == nil)
    }
}
