// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import LinuxSystem
internal import Synchronization
internal import Systemd

/// Open sessions in systemd's store of descriptors, each as the pidfd of its process. They come back after a restart, a
/// crash and an upgrade; systemd forgets them with a stop, and the kernel with the boot.
///
/// The unit's main process alone can put something there (`NotifyAccess=main`). So who has the daemon can name a session
/// that nobody opened; that raises an account only when Azure says yes, and is less than who has the daemon can do anyway.
final class StoredSessions: SessionKeeper {
    /// `FileDescriptorStoreMax=` of the unit.
    let limit = 512

    private let store: DescriptorStore?
    private let inherited: Mutex<[(name: String, descriptor: Int32)]>

    /// `inherited`: what systemd gave and is no socket of the daemon's.
    init(_ inherited: [(name: String, descriptor: Int32)]) {
        store = try? DescriptorStore()
        self.inherited = Mutex(inherited)
    }

    func keep(_ process: any WatchedProcess, as name: String) -> Bool {
        guard let store, let process = process as? LiveProcesses.Watched else { return false }
        return store.put(process.descriptor, as: name)
    }

    func release(_ name: String) -> Bool { store?.remove(name) ?? true }

    func kept() -> [(name: String, process: any WatchedProcess)] {
        let given = inherited.withLock { inherited in
            defer { inherited = [] }
            return inherited
        }
        return given.compactMap { name, number in
            let descriptor = Descriptor(takingOwnership: number)
            guard let process = try? ProcessDescriptor(adopting: descriptor), process.isAlive else {
                _ = release(name)
                return nil
            }
            return (name, LiveProcesses.Watched(descriptor: process))
        }
    }
}
