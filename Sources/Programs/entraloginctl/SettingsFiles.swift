// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import LinuxSystem
internal import Settings
internal import StackCheck

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

    private static func finding(_ text: String, _ place: String) -> Finding {
        Finding(
            "settings",
            .error,
            text,
            place: place,
            remedy: "mend it, then systemctl restart entralogind"
        )
    }
}

/// One setting in force.
struct SettingReport: Hashable, Sendable, Codable {
    /// `Section.Key`.
    var key: String
    /// As it would be written; empty: decided at run time.
    var value: String
    /// `file:line`; nil for a default.
    var origin: String?
}

extension EffectiveSettings {
    /// Every key, in the order of the manual.
    var report: [SettingReport] {
        SettingsKey.all.map { key in
            let name = "\(key.section).\(key.name)"
            let value = values.text(of: name) ?? ""
            let shown = key.isSecret ? Settings.withoutCredentials(value) : value
            return SettingReport(key: name, value: shown, origin: origins[name])
        }
    }
}

extension EffectiveSettings {
    /// `file:line` of each setting in force that holds a password.
    var placesOfSecrets: [String] {
        SettingsKey.all.filter(\.isSecret).compactMap { key in
            let name = "\(key.section).\(key.name)"
            guard values.text(of: name)?.contains("@") == true else { return nil }
            return origins[name]
        }
    }
}

extension Settings {
    /// The value of a key, credentials and all; nil for a key that is not known here.
    func text(of key: String) -> String? {
        switch key {
        case "Azure.LoginEndpoint": azure.loginEndpoint ?? ""
        case "Azure.PolicyEndpoint": azure.policyEndpoint ?? ""
        case "Azure.ResourceManagerEndpoint": azure.resourceManagerEndpoint ?? ""
        case "Azure.MetadataEndpoint": azure.metadataEndpoint
        case "Azure.ConfirmRefusals": azure.confirmRefusals ? "yes" : "no"
        case "Azure.AccessCheckers": azure.accessCheckers.map(\.rawValue).joined(separator: " ")
        case "Azure.TenantID": azure.tenantID?.description ?? ""
        case "Azure.ClientID": azure.clientID?.description ?? ""
        case "Azure.Proxy": azure.proxy ?? ""
        case "Azure.NoProxy": azure.noProxy ?? ""
        case "Azure.CAFile": azure.authoritiesFile ?? ""
        case "Keys.Sources": keys.sources.map(\.rawValue).joined(separator: " ")
        case "Keys.File": keys.file ?? ""
        case "Keys.RevokedKeys": keys.revokedKeys ?? ""
        case "Accounts.Domains": accounts.domains.isEmpty ? "any" : accounts.domains.joined(separator: " ")
        case "Accounts.HomeTemplate": accounts.homeTemplate.text
        case "Accounts.Shell": accounts.shell
        case "Accounts.UsersGroup": accounts.usersGroup
        case "Accounts.AdministratorsGroup": accounts.administratorsGroup
        case "Accounts.IDRange": "\(accounts.numbers.lowerBound)-\(accounts.numbers.upperBound)"
        case "Accounts.Enumerate": accounts.enumerate ? "yes" : "no"
        case "Accounts.UserDatabase": accounts.userDatabase ? "yes" : "no"
        case "Accounts.ProvisionalCallers": accounts.provisionalCallers.joined(separator: " ")
        case "SignIn.ClockSkew": Settings.span(signIn.clockSkew)
        case "SignIn.MaxCertificateLifetime": Settings.span(signIn.maximumCertificateLifetime)
        case "SignIn.OfflineGrace": Settings.span(signIn.offlineGrace)
        case "SignIn.GrantLifetime": Settings.span(signIn.grantLifetime)
        case "SignIn.MaxSignInAge": Settings.span(signIn.maximumSignInAge)
        case "SignIn.EndSessions": signIn.endSessions ? "yes" : "no"
        case "SignIn.EndSessionsAfter": Settings.span(signIn.endSessionsAfter)
        case "SignIn.StrictExtensionOrder": signIn.strictExtensionOrder ? "yes" : "no"
        case "DeviceSignIn.ClientID": deviceSignIn.clientID?.text ?? ""
        case "DeviceSignIn.Services": deviceSignIn.services.map(\.rawValue).joined(separator: " ")
        case "DeviceSignIn.Limit": Settings.span(deviceSignIn.limit)
        case "Log.Level": ["error", "warning", "notice", "info", "debug"][max(0, min(4, log.level - 3))]
        case "Log.Audit": log.audit ? "yes" : "no"
        default: nil
        }
    }

    private static func span(_ duration: Duration) -> String { "\(duration.components.seconds)s" }

    /// P12: what stands before an @ is nobody's to read here; the scheme is.
    fileprivate static func withoutCredentials(_ proxy: String) -> String {
        guard let at = proxy.lastIndex(of: "@") else { return proxy }
        let scheme = ["http://", "https://"].first(where: proxy.hasPrefix) ?? ""
        return scheme + "***" + proxy[at...]
    }
}
