// SPDX-License-Identifier: Apache-2.0

import Authorization
import Synchronization

/// Stands for systemd's descriptor store, which outlives the daemon (here: the fixture) that stored in it.
final class FakeKeeper: SessionKeeper {
    struct Held: Sendable {
        let name: String
        let process: any WatchedProcess
    }

    let limit: Int
    private let held = Mutex<[Held]>([])
    private let isDeaf = Mutex(false)

    init(limit: Int = 512) { self.limit = limit }

    var names: [String] { held.withLock { $0.map(\.name) } }

    /// While deaf, it behaves as if its socket were full.
    func setDeaf(_ deaf: Bool) { isDeaf.withLock { $0 = deaf } }

    func keep(_ process: any WatchedProcess, as name: String) -> Bool {
        guard !isDeaf.withLock({ $0 }) else { return false }
        held.withLock { $0.append(Held(name: name, process: process)) }
        return true
    }

    func release(_ name: String) -> Bool {
        guard !isDeaf.withLock({ $0 }) else { return false }
        held.withLock { $0.removeAll { $0.name == name } }
        return true
    }

    func kept() -> [(name: String, process: any WatchedProcess)] {
        held.withLock { $0.map { ($0.name, $0.process) } }
    }
}
