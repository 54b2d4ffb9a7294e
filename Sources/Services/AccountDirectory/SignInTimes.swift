// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import LinuxSystem
internal import Synchronization

/// When users last signed in. Best effort: kept in memory, written now and then; a lost time counts as long ago.
///
///     TENANT OBJECT SECONDS
final class SignInTimes: Sendable {
    private static let fileLimit = 128 << 20

    private struct State {
        var times: [DirectoryIdentity: UnixTime] = [:]
        var isDirty = false
        var fault: FileError?
    }

    private let file: AtomicFile
    private let text = ChecksummedText(name: "entralogin-sign-ins", version: 1)
    private let state = Mutex(State())

    init(_ file: AtomicFile) { self.file = file }

    /// Why the last flush failed; nil while all is well.
    var fault: FileError? { state.withLock { $0.fault } }

    /// There are unwritten changes.
    var isDirty: Bool { state.withLock { $0.isDirty } }

    subscript(identity: DirectoryIdentity) -> UnixTime? { state.withLock { $0.times[identity] } }

    /// A clock that jumped back does not replace a later time.
    func note(_ identity: DirectoryIdentity, at time: UnixTime) {
        state.withLock { state in
            guard state.times[identity].map({ $0 < time }) ?? true else { return }
            state.times[identity] = time
            state.isDirty = true
        }
    }

    /// A file that is absent or damaged counts as empty.
    func load() {
        guard let bytes = try? file.read(limit: Self.fileLimit, requiring: .ownOrRoots),
            let lines = try? text.lines(of: bytes)
        else { return }
        for line in lines {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 3, let tenant = TenantID(fields[0]), let objectID = ObjectID(fields[1]),
                let seconds = Int64(fields[2])
            else { continue }
            note(DirectoryIdentity(tenant: tenant, objectID: objectID), at: UnixTime(seconds: seconds))
        }
        state.withLock { $0.isDirty = false }
    }

    /// Writes what changed; blocks on the disk. A failure is kept for the report, and the next flush tries again.
    func flush() {
        let times = state.withLock { state -> [DirectoryIdentity: UnixTime]? in
            guard state.isDirty else { return nil }
            state.isDirty = false
            return state.times
        }
        guard let times else { return }
        let lines = times.map { "\($0.key.tenant) \($0.key.objectID) \($0.value.seconds)" }.sorted()
        do throws(FileError) {
            try file.replace(with: text.bytes(of: lines), mode: 0o600)
            state.withLock { $0.fault = nil }
        } catch {
            state.withLock { state in
                state.fault = error
                state.isDirty = true
            }
        }
    }
}
