// SPDX-License-Identifier: Apache-2.0

/// Finds the uid of a name: a number in the compiled-in range that a digest of tenant and name points to, or the next
/// one that nobody holds. The same inputs give the same uid on every machine where nothing collides.
package enum IDAllocation {
    /// No number is free within reach.
    package struct Exhausted: Error, Hashable, Sendable {
        package init() {}
    }

    /// Numbers tried, one after the other; with a million accounts the longest run ever to expect is below 100.
    package static let probeLimit: UInt32 = 65_536

    /// Numbers that another directory gives out together, from a multiple of this on: `ldap_idmap_range_size` of SSSD, and the
    /// size of a range that ipa-server-install makes. Where it has one of them, its neighbours are no place for an account.
    package static let othersBlock: UInt32 = 200_000

    /// Starts that are tried where another directory's blocks are in the way.
    package static let attemptLimit: UInt8 = 64

    /// What the start is a digest of: the tenant's id in lower case, a zero byte, the name; from the second attempt (1) on a
    /// zero byte and the attempt.
    package static func seed(tenant: TenantID, name: UserName, attempt: UInt8 = 0) -> [UInt8] {
        var seed: [UInt8] = []
        seed.reserveCapacity(tenant.guid.text.utf8.count + 1 + name.text.utf8.count)
        seed.append(contentsOf: tenant.guid.text.utf8)
        seed.append(0)
        seed.append(contentsOf: name.text.utf8)
        if attempt > 0 { seed += [0, attempt] }
        return seed
    }

    /// The first free number at or after the one that the first eight bytes of `digest` (SHA-256 of `seed`) point to,
    /// beginning again at the range's first number after its last.
    package static func number(
        for digest: [UInt8],
        in range: ClosedRange<UInt32> = PosixID.userRange,
        isTaken: (UInt32) -> Bool
    ) throws(Exhausted) -> PosixID {
        let count = UInt64(range.upperBound - range.lowerBound) + 1
        let start = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % count
        for step in 0..<min(count, UInt64(probeLimit)) {
            let number = range.lowerBound + UInt32((start + step) % count)
            if let id = PosixID(user: number), !isTaken(number) { return id }
        }
        throw Exhausted()
    }
}
