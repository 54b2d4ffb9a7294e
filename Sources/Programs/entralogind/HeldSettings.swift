// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Settings
internal import Synchronization

/// The settings that the daemon goes by: those of its start, and of a reload what a reload takes.
final class HeldSettings: Sendable {
    private let settings: Mutex<Settings>

    init(_ settings: Settings) { self.settings = Mutex(settings) }

    /// Only `[Accounts]`, and of it not what the look-ups were made with.
    func reload(_ read: Settings.Accounts) {
        settings.withLock { settings in
            var accounts = read
            accounts.provisionalCallers = settings.accounts.provisionalCallers
            settings.accounts = accounts
        }
    }

    /// `Section.Key` and its value, without secrets.
    var report: [String: String] {
        let settings = settings.withLock { $0 }
        let groups = settings.groups.map { ("Groups.\($0.name)", $0.objectID.description) }
        return Dictionary(uniqueKeysWithValues: SettingsKey.all.map { ($0.fullName, $0.shownText(settings)) } + groups)
    }
}
