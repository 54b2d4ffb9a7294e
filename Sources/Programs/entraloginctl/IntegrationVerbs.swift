// SPDX-License-Identifier: Apache-2.0

/// What to do about the way over.
enum MigrationVerb: String, Hashable, Sendable, CaseIterable {
    /// Say what would be done.
    case plan = ""
    /// Swap the wiring, or leave it as it was.
    case apply = "--apply"
    /// Put the old wiring back.
    case undo = "--undo"
    // What configure asks for as parts of these, and of the package's coming and going.
    case adopt = "--adopt"
    case release = "--release"
    case restore = "--restore"
    case forget = "--forget"
}

/// What to do about the wiring of this machine.
enum SetupVerb: String, Hashable, Sendable, CaseIterable {
    /// Say what would change.
    case dryRun = "--dry-run"
    case apply = "--apply"
    case undo = "--undo"

    /// What the program that does all wiring, for packages too, calls it.
    var argument: String {
        switch self {
        case .dryRun: "--dry-run"
        case .apply: "--enable"
        case .undo: "--disable"
        }
    }
}
