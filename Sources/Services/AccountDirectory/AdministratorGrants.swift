// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import LinuxSystem
internal import Synchronization

/// The members of the administrators' group, and until when; published for NSS on a memory file system.
///
/// A grant is in force only while it is published: what cannot be written is not granted, and if a withdrawal cannot be
/// written, the whole file is removed.
package final class AdministratorGrants: GrantRegistry {
    private struct State {
        var grants: GrantSnapshot.Grants = [:]
        var generation: UInt64 = 0
        /// The file differs from `grants`.
        var mustPublish = false
        var fault: FileError?
    }

    private let file: AtomicFile
    private let boot: BootID
    private let clock: any TimeSource
    // Held while the file is written, so that files appear in the order of the changes; on tmpfs, this waits for no
    // disk.
    private let state = Mutex(State())

    /// Restores the grants of this boot from the file, so that a restart of the daemon ends none. Without a usable
    /// file, an empty one is published: it costs readers one fstat(2), and a missing file costs them a failing open(2).
    package init(file: AtomicFile, boot: BootID, clock: any TimeSource) {
        self.file = file
        self.boot = boot
        self.clock = clock
        let bytes = try? file.read(limit: GrantSnapshot.fileLimit, requiring: .ownOrRoots)
        let found = bytes.flatMap { GrantSnapshot.read($0, boot: boot) }
        let now = self.now
        state.withLock { state in
            guard let found else { return publish(&state) }
            state.grants = found.grants.filter { $0.value > now }
            state.generation = found.generation
        }
    }

    package var fault: String? { state.withLock { $0.fault?.description } }

    package func grant(uid: PosixID, until expiry: BootTime) throws(Denial) {
        let now = self.now
        let seconds = UInt64(max(0, expiry.sinceBoot.components.seconds))
        let fault = state.withLock { state -> FileError? in
            if state.grants[uid.number] == seconds, !state.mustPublish { return nil }
            let before = state.grants
            state.grants = before.filter { $0.value > now }
            guard state.grants.count < GrantSnapshot.limit || state.grants[uid.number] != nil else {
                return FileError(path: file.path, step: "grant", problem: .tooLarge(limit: GrantSnapshot.fileLimit))
            }
            state.grants[uid.number] = seconds
            publish(&state)
            guard let fault = state.fault else { return nil }
            // The old file is still in place, so the old grants are in force.
            state.grants = before
            return fault
        }
        guard let fault else { return }
        throw Denial(
            .enrolmentFailed,
            text: "This machine could not record your administrator role; its administrator must look",
            detail: "\(fault)"
        )
    }

    package func withdraw(uid: PosixID) {
        let now = self.now
        state.withLock { state in
            guard state.grants.removeValue(forKey: uid.number) != nil || state.mustPublish else { return }
            state.grants = state.grants.filter { $0.value > now }
            publish(&state)
            // Better no administrator than one too many (P2); the other grants are published again with the next one.
            if state.fault != nil { try? file.remove() }
        }
    }

    package func current() -> [PosixID: BootTime] {
        let now = self.now
        var grants: [PosixID: BootTime] = [:]
        for (number, expiry) in state.withLock({ $0.grants }) where expiry > now {
            if let uid = PosixID(user: number) { grants[uid] = BootTime(sinceBoot: .seconds(expiry)) }
        }
        return grants
    }

    /// Whole seconds, rounded down like expiries: no grant outlasts its expiry.
    private var now: UInt64 { UInt64(max(0, clock.bootTime().sinceBoot.components.seconds)) }

    private func publish(_ state: inout State) {
        do throws(FileError) {
            let bytes = GrantSnapshot.bytes(of: state.grants, boot: boot, generation: state.generation + 1)
            try file.replace(with: bytes, mode: 0o644)
            state.fault = nil
        } catch {
            // A new file that is in place, but perhaps not on disk yet, is enough: a power cut ends all grants anyway.
            state.fault = error.isInPlace ? nil : error
        }
        state.mustPublish = state.fault != nil
        if !state.mustPublish { state.generation += 1 }
    }
}
