// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import LinuxSystem
internal import Synchronization
internal import Systemd

/// Open sessions in systemd's descriptor store, each as the pidfd of its process. They come back after a restart, a
/// crash or an upgrade of the daemon; they are lost when the unit stops or the machine reboots.
///
/// Only the unit's main process can put something there (`NotifyAccess=main`). So an attacker who controls the daemon
/// can add a session that nobody opened. That makes an account administrator only if Azure says yes, and is less than
/// such an attacker can do anyway.
final class StoredSessions: SessionKeeper {
    /// `FileDescriptorStoreMax=` of the unit.
    let limit = 512

    private let store: DescriptorStore?
    private let inherited: Mutex<[(name: String, descriptor: Int32)]>

    /// `inherited`: the descriptors from systemd that are not the daemon's sockets.
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
