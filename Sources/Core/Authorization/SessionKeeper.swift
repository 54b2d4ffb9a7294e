// SPDX-License-Identifier: Apache-2.0

/// Keeps open sessions across a restart of the daemon: for each a name and its live process. No call blocks.
package protocol SessionKeeper: Sendable {
    /// How many it keeps at most.
    var limit: Int { get }
    /// False if it could not be kept.
    func keep(_ process: any WatchedProcess, as name: String) -> Bool
    /// False if it may still be kept.
    func release(_ name: String) -> Bool
    /// The sessions that were kept before this start and whose process is alive. Answers once; everything else is
    /// released.
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
