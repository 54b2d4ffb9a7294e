// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import OpenSSHCertificates
import Testing

struct ValidityRuleTests {
    private func result(
        from start: UInt64,
        to end: UInt64,
        now: Int64,
        limits: ValidityLimits = ValidityLimits()
    ) throws -> CertificateRefusal? {
        let blob = try Fixtures.handmade {
            $0.validAfter = start
            $0.validBefore = end
        }
        let rule = ValidityRule(now: now, limits: limits)
        guard case .refused(let refusal, _) = rule.check(try Certificate(parsing: blob)) else { return nil }
        return refusal
    }

    @Test("The interval is half-open, and begins a minute early for clocks that are behind")
    func edges() throws {
        #expect(try result(from: 10_000, to: 13_600, now: 9_939) == .notYetValid)
        #expect(try result(from: 10_000, to: 13_600, now: 9_940) == nil)
        #expect(try result(from: 10_000, to: 13_600, now: 13_599) == nil)
        #expect(try result(from: 10_000, to: 13_600, now: 13_600) == .expired)
    }

    @Test("The skews are settings")
    func skews() throws {
        let none = ValidityLimits(startSkew: 0, endSkew: 0)
        #expect(try result(from: 10_000, to: 13_600, now: 9_999, limits: none) == .notYetValid)
        #expect(try result(from: 10_000, to: 13_600, now: 10_000, limits: none) == nil)
        let late = ValidityLimits(endSkew: 30)
        #expect(try result(from: 10_000, to: 13_600, now: 13_629, limits: late) == nil)
        #expect(try result(from: 10_000, to: 13_600, now: 13_630, limits: late) == .expired)
    }

    @Test("A lifetime above a day is refused, and the bound is a setting")
    func lifetime() throws {
        #expect(try result(from: 10_000, to: 96_400, now: 20_000) == nil)
        #expect(try result(from: 10_000, to: 96_401, now: 20_000) == .lifetimeTooLong)
        let hour = ValidityLimits(maximumLifetime: 3_600)
        #expect(try result(from: 10_000, to: 13_600, now: 10_000, limits: hour) == nil)
        #expect(try result(from: 10_000, to: 13_601, now: 10_000, limits: hour) == .lifetimeTooLong)
    }

    @Test("An interval that ends where or before it begins is refused")
    func empty() throws {
        #expect(try result(from: 10_000, to: 10_000, now: 10_000) == .validityEmpty)
        #expect(try result(from: 10_001, to: 10_000, now: 10_000) == .validityEmpty)
        #expect(try result(from: .max, to: 0, now: 10_000) == .validityEmpty)
        #expect(try result(from: .max, to: .max, now: .max) == .validityEmpty)
    }

    @Test("No sum of times overflows, and for ever is too long")
    func overflow() throws {
        #expect(try result(from: 0, to: .max, now: 10_000) == .lifetimeTooLong)
        #expect(try result(from: .max - 1, to: .max, now: .max) == .notYetValid)
        #expect(try result(from: 1 << 63, to: 1 << 63 + 10, now: .max) == nil)
        let most = ValidityLimits(startSkew: .max, endSkew: .max, maximumLifetime: .max)
        #expect(try result(from: 0, to: .max, now: .max, limits: most) == .lifetimeTooLong)
        #expect(try result(from: .max - 1, to: .max, now: .max, limits: most) == .notYetValid)
    }

    @Test("A clock before 1970 is before every certificate", arguments: [-1, Int64.min])
    func negative(now: Int64) throws {
        #expect(try result(from: 0, to: 10, now: now) == .notYetValid)
    }

    @Test("P4: a certificate that ssh-keygen made for ever is refused")
    func forever() throws {
        let blob = try Fixtures.small {
            $0.validAfter = 0
            $0.validBefore = .max
        }
        #expect(try Fixtures.refusal(of: blob) == .lifetimeTooLong)
    }
}
