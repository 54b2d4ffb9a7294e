// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration
internal import LinuxSystem
internal import Settings

/// The settings as the daemon would read them now, by the same rules.
struct SettingsFiles: Sendable {
    var path = EffectiveSettings.defaultPath

    /// Settings, or everything that is wrong with them.
    enum Reading: Sendable {
        case settings(EffectiveSettings)
        case flawed([Finding])
    }

    func read() -> Reading {
        let parts: [FileWithDropIns.Part]
        do throws(FileError) {
            parts = try FileWithDropIns(path).read(mayBeMissing: true)
        } catch {
            return .flawed([SettingsFiles.finding("the settings cannot be read: \(error)", error.path)])
        }
        switch EffectiveSettings.read(parts.map({ SettingsText(path: $0.path, bytes: $0.bytes) })) {
        case .success(let settings): return .settings(settings)
        case .failure(let problems):
            return .flawed(problems.all.map { SettingsFiles.finding($0.text, "\($0.path):\($0.line)") })
        }
    }

    /// Findings about lines that no longer have an effect.
    static func remarks(of settings: EffectiveSettings) -> [Finding] {
        settings.remarks.map { remark in
            let place = "\(remark.path):\(remark.line)"
            return Finding(.settingsFormer, .warning, remark.text, place: place, remedy: "delete this line")
        }
    }

    private static func finding(_ text: String, _ place: String) -> Finding {
        Finding(
            .settings,
            .error,
            text,
            place: place,
            remedy: "correct it, then systemctl restart entralogind",
            keepsOut: .later
        )
    }
}

/// One setting in force.
struct SettingReport: Hashable, Sendable, Codable {
    /// `Section.Key`.
    var key: String
    /// As it would be written in the file; empty: decided at run time.
    var value: String
    /// `file:line`; nil for a default.
    var origin: String?
    /// The daemon's value, if that is another one: the daemon has to be restarted, or reloaded.
    var inForce: String?
}

extension EffectiveSettings {
    /// Every key, in the order of the manual.
    var report: [SettingReport] {
        SettingsKey.all.map { key in
            SettingReport(key: key.fullName, value: key.shownText(values), origin: origins[key.fullName]?.description)
        }
            + values.groups.map { group in
                let key = "Groups.\(group.name)"
                return SettingReport(key: key, value: group.objectID.description, origin: origins[key]?.description)
            }
    }
}

extension EffectiveSettings {
    /// `file:line` of each setting in force that holds a password.
    var placesOfSecrets: [String] {
        SettingsKey.all.filter(\.isSecret).compactMap { key in
            let name = "\(key.section).\(key.name)"
            guard key.text(values).contains("@") else { return nil }
            return origins[name]?.description
        }
    }
}
