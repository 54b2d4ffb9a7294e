// SPDX-License-Identifier: Apache-2.0

/// Finds the uid of a name: a number in the compiled-in range that a digest of tenant and name points to, or the next
/// free one. The same inputs give the same uid on every machine where nothing collides.
package enum IDAllocation {
    /// No number is free within reach.
    package struct Exhausted: Error, Hashable, Sendable {
        package init() {}
    }

    /// Numbers tried, one after the other; with a million accounts the longest run to expect is below 100.
    package static let probeLimit: UInt32 = 65_536

    /// The size of the blocks in which other directories give out ids, each beginning at a multiple of it: SSSD's
    /// `ldap_idmap_range_size`, and a range of ipa-server-install. An Entra account gets no number in a block of which
    /// another directory uses one.
    package static let othersBlock: UInt32 = 200_000

    /// Starting points that are tried where another directory's blocks are in the way.
    package static let attemptLimit: UInt8 = 64

    /// The input of the digest that gives the starting point: the tenant's id in lower case, a zero byte, the name;
    /// from the second attempt (1) on also a zero byte and the attempt.
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
    /// wrapping around at the end of the range.
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
