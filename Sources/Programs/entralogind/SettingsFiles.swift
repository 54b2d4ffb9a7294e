// SPDX-License-Identifier: Apache-2.0

internal import LinuxSystem
internal import Settings

/// The settings as they lie on disk.
enum SettingsFiles {
    typealias Outcome = EffectiveSettings

    /// Errors: a file that cannot be read or that others may write (`FileError`), wrong settings (`SettingsProblems`).
    /// Only the file at the default path may be missing, and reads as empty then; a named file must exist.
    static func read(_ path: String) throws -> Outcome {
        let parts = try FileWithDropIns(path).read(mayBeMissing: path == EffectiveSettings.defaultPath)
        return try EffectiveSettings.read(parts.map { SettingsText(path: $0.path, bytes: $0.bytes) }).get()
    }
}
