// SPDX-License-Identifier: Apache-2.0

/// Keeps open sessions over a restart of the daemon: each is a name beside its living process. No call waits.
package protocol SessionKeeper: Sendable {
    /// How many it keeps at most.
    var limit: Int { get }
    /// False where it is not kept.
    func keep(_ process: any WatchedProcess, as name: String) -> Bool
    /// False where it may still be kept.
    func release(_ name: String) -> Bool
    /// What was kept before this start, where the process still lives; once. Everything else is released.
    func kept() -> [(name: String, process: any WatchedProcess)]
}

/// Keeps nothing.
package struct NoSessionKeeper: SessionKeeper {
    package let limit = 0

    package init() {}

    package func keep(_ process: any WatchedProcess, as name: String) -> Bool { false }

    package func release(_ name: String) -> Bool { true }

    package func kept() -> [(name: String, process: any WatchedProcess)] { [] }
}
