// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Settings
internal import Synchronization

/// The settings that the daemon uses: those of its start, with what a reload changes.
final class HeldSettings: Sendable {
    private let settings: Mutex<Settings>

    init(_ settings: Settings) { self.settings = Mutex(settings) }

    /// Takes only `[Accounts]`, without `ProvisionalCallers=`, which the look-ups got at the start.
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
