// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
internal import LinuxSystem
internal import OpenSSHCertificates
internal import Synchronization

/// The file of `RevokedKeys=`: one stat(2) at each check; it is read again only if that shows a change.
package final class RevokedKeysFile: RevocationSource {
    /// A file changed this recently may change again with the same timestamp: the kernel's clock for files advances in
    /// steps of some milliseconds.
    private static let settlingTime = Duration.seconds(2)

    private struct State {
        var kept: (stamp: FileStamp, reading: RevocationReading)?
        var revision = 0
    }

    private let file: AtomicFile
    private let time: any TimeSource
    private let state = Mutex(State())

    /// `path` is absolute. The file must belong to root or to the daemon, be writable by no other user, and not be a
    /// link.
    package init(path: String, time: any TimeSource) {
        file = AtomicFile(path)
        self.time = time
    }

    package func read() -> RevocationReading {
        state.withLock { state in
            let before = try? FileStamp(of: file.path)
            if let before, let kept = state.kept, kept.stamp == before { return kept.reading }
            state.kept = nil
            state.revision += 1
            do throws(FileError) {
                let bytes = try file.read(limit: KeyRevocationList.Limit.bytes, requiring: .ownOrRoots)
                let reading = reading(of: bytes, revision: state.revision)
                // The bytes belong to the stamp only if it is the same before and after the read.
                if let before, (try? FileStamp(of: file.path)) == before, isSettled(before) {
                    state.kept = (before, reading)
                }
                return reading
            } catch {
                return .unusable(error.description)
            }
        }
    }

    private func reading(of bytes: [UInt8], revision: Int) -> RevocationReading {
        do throws(RevocationListError) {
            return .list(try KeyRevocationList(parsing: bytes), revision: revision)
        } catch {
            return .unusable("\(file.path): \(error)")
        }
    }

    private func isSettled(_ stamp: FileStamp) -> Bool {
        let age = Duration.seconds(time.wallTime().seconds) - stamp.changed
        return age >= Self.settlingTime || age <= .zero - Self.settlingTime
    }
}
