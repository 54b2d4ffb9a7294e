// SPDX-License-Identifier: Apache-2.0

/// A settings key of an earlier version. It is read and reported but has no effect: a line that used to be valid never
/// keeps the daemon from starting after an upgrade (P17).
enum FormerSettingsKey {
    private static let all: [(section: String, name: String, reason: String)] = [
        ("Accounts", "UserDatabase", "systemd finds Entra accounts through the name service"),
        ("SignIn", "StrictExtensionOrder", "OpenSSH accepts extensions in any order"),
    ]

    /// The remark on an assignment to such a key; nil for any other line.
    static func remark(on line: Substring, in section: String?) -> String? {
        guard let section, let equals = line.firstIndex(of: "=") else { return nil }
        let name = trimmed(line[..<equals])
        return all.first { $0.section == section && $0.name == name }.map { key in
            "\(key.name)= has no effect any more (\(key.reason)): delete the line"
        }
    }
}
