// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Identity
internal import LinuxSystem
internal import Synchronization

// Ranges for rootless containers (`SubordinateIDs=`). The daemon writes none: it tells root's program that the accounts have
// changed, and looks whether a line is there.

extension AccountDirectory {
    /// Between two looks at the files.
    private static let pause: Duration = .milliseconds(20)
    /// For root's program, which starts within a quarter of a second.
    private static let longestWait: Duration = .seconds(2)
    private static let limit = 16 << 20

    /// Off the loop, after each change that is on disk.
    func announceChange() {
        if state.withLock({ $0.policy.subordinateIDs }) { surroundings.announceChange() }
    }

    package func awaitSubordinateIDs(of enrolled: EnrolledAccount, by deadline: BootTime) async -> Bool {
        guard state.withLock({ $0.policy.subordinateIDs }), enrolled.account.adoptedUID == nil else { return true }
        let clock = surroundings.clock
        let end = min(deadline, clock.bootTime().advanced(by: Self.longestWait))
        while true {
            let found = Mutex(false)
            await surroundings.offload { [self] in
                let hasLines =
                    hasLine(enrolled.account, in: paths.subuid) && hasLine(enrolled.account, in: paths.subgid)
                found.withLock { $0 = hasLines }
            }
            if found.withLock({ $0 }) { return true }
            let now = clock.bootTime()
            guard now < end else { return false }
            await clock.sleep(until: min(end, now.advanced(by: Self.pause)))
        }
    }

    private func hasLine(_ account: Account, in path: String) -> Bool {
        guard let bytes = try? AtomicFile(path).read(limit: Self.limit, requiring: .ofSystem) else { return false }
        let owners: Set = [account.name.text, String(account.uid.number)]
        return SubordinateIDFile(parsing: bytes).lines.contains { owners.contains($0.owner) }
    }
}
