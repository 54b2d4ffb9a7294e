// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Identity
internal import LinuxSystem
internal import Synchronization

// Ranges for rootless containers (`SubordinateIDs=`). The daemon does not write them: it tells root's program that the
// accounts have changed, and checks whether a line is there.

extension AccountDirectory {
    /// Between two reads of the files.
    private static let pause: Duration = .milliseconds(20)
    /// For root's program, which starts within a quarter of a second.
    private static let longestWait: Duration = .seconds(2)
    private static let limit = 16 << 20

    /// Called off the loop, after each change that is on disk.
    func announceChange() {
        if state.withLock({ $0.policy.subordinateIDs }) { environment.announceChange() }
    }

    package func awaitSubordinateIDs(of enrolled: EnrolledAccount, by deadline: BootTime) async -> Bool {
        guard state.withLock({ $0.policy.subordinateIDs }), enrolled.account.mappedUID == nil else { return true }
        let clock = environment.clock
        let end = min(deadline, clock.bootTime().advanced(by: Self.longestWait))
        while true {
            let seen = Mutex(Lines.missing)
            await environment.offload { [self] in
                let both = [paths.subuid, paths.subgid].map { lines(of: enrolled.account, in: $0) }
                seen.withLock { $0 = both.max() ?? .missing }
            }
            switch seen.withLock({ $0 }) {
            case .there: return true
            case .unreadable: return false
            case .missing: break
            }
            let now = clock.bootTime()
            guard now < end else { return false }
            await clock.sleep(until: min(end, now.advanced(by: Self.pause)))
        }
    }

    /// The result of reading a file; of two files, the greater one counts.
    private enum Lines: Int, Comparable {
        case there
        case missing
        /// The file is there, but this process cannot read it.
        case unreadable

        static func < (one: Lines, other: Lines) -> Bool { one.rawValue < other.rawValue }
    }

    private func lines(of account: Account, in path: String) -> Lines {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try AtomicFile(path).read(limit: Self.limit, requiring: .ofSystem) } catch {
            return error.isAbsent ? .missing : .unreadable
        }
        let owners: Set = [account.systemName, String(account.uid.number)]
        return SubordinateIDFile(parsing: bytes).lines.contains { owners.contains($0.owner) } ? .there : .missing
    }
}
