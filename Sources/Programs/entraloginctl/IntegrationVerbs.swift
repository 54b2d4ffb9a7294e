// SPDX-License-Identifier: Apache-2.0

/// What `migrate` does.
enum MigrationVerb: String, Hashable, Sendable, CaseIterable {
    /// Say what would be done.
    case plan = ""
    /// Replace the old integration, or leave it as it was.
    case apply = "--apply"
    /// Put the old integration back.
    case undo = "--undo"
    // Steps of these that configure asks for, also when the package is installed or removed.
    case adopt = "--adopt"
    case release = "--release"
    case restore = "--restore"
    case forget = "--forget"
}

/// What `setup` does to this machine's integration.
enum SetupVerb: String, Hashable, Sendable, CaseIterable {
    /// Say what would change.
    case dryRun = "--dry-run"
    case apply = "--apply"
    case undo = "--undo"

    /// The option of configure, the program that changes the integration, also for packages.
    var argument: String {
        switch self {
        case .dryRun: "--dry-run"
        case .apply: "--enable"
        case .undo: "--disable"
        }
    }
}
