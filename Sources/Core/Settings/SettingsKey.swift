// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// One key: its section, the values it accepts, and the setting it changes. entralogin.conf(5) lists this table.
package struct SettingsKey: Sendable {
    package let section: String
    package let name: String
    /// What a value looks like, for the error message.
    package let allowed: String
    /// The value may contain a password, which is never shown or logged (P12).
    package let isSecret: Bool
    /// The value as written in a file; empty: decided at run time.
    package let text: @Sendable (Settings) -> String
    let apply: @Sendable (inout Settings, String) throws(SettingsFlaw) -> Void
    /// Restores the default: `Key=` without a value, as in systemd.
    let reset: @Sendable (inout Settings) -> Void

    private init<Value: Sendable>(
        _ section: String,
        _ name: String,
        _ path: any WritableKeyPath<Settings, Value> & Sendable,
        _ allowed: String,
        isSecret: Bool = false,
        _ read: @escaping @Sendable (String) throws(SettingsFlaw) -> Value,
        writtenAs write: @escaping @Sendable (Value) -> String
    ) {
        self.section = section
        self.name = name
        self.allowed = allowed
        self.isSecret = isSecret
        text = { settings in write(settings[keyPath: path]) }
        apply = { (settings, text) throws(SettingsFlaw) in settings[keyPath: path] = try read(text) }
        reset = { settings in settings[keyPath: path] = Settings()[keyPath: path] }
    }

    /// A key whose value type defines how the value is written.
    private init<Value: WrittenValue>(
        _ section: String,
        _ name: String,
        _ path: any WritableKeyPath<Settings, Value> & Sendable,
        _ allowed: String,
        isSecret: Bool = false,
        _ read: @escaping @Sendable (String) throws(SettingsFlaw) -> Value
    ) {
        self.init(section, name, path, allowed, isSecret: isSecret, read, writtenAs: { $0.written })
    }

    package static let all: [SettingsKey] = azure + keys + accounts + overrides + signIn + deviceSignIn + log

    /// Each section once, in the order of the manual.
    static var sections: [String] {
        all.reduce(into: []) { found, key in if found.last != key.section { found.append(key.section) } }
    }

    private static func names<Choice: CaseIterable & RawRepresentable<String>>(_ choices: Choice.Type) -> String {
        choices.allCases.map(\.rawValue).joined(separator: ", ")
    }

    private static let azure: [SettingsKey] = [
        SettingsKey("Azure", "LoginEndpoint", \.azure.loginEndpoint, "https://host", SettingsValue.endpoint),
        SettingsKey("Azure", "PolicyEndpoint", \.azure.policyEndpoint, "https://host", SettingsValue.endpoint),
        SettingsKey(
            "Azure",
            "ResourceManagerEndpoint",
            \.azure.resourceManagerEndpoint,
            "https://host",
            SettingsValue.endpoint
        ),
        SettingsKey("Azure", "GraphEndpoint", \.azure.graphEndpoint, "https://host", SettingsValue.endpoint),
        SettingsKey(
            "Azure",
            "MetadataEndpoint",
            \.azure.metadataEndpoint,
            "http:// and an IPv4 address",
            SettingsValue.metadataEndpoint
        ),
        SettingsKey(
            "Azure",
            "AccessCheckers",
            \.azure.accessCheckers,
            "\(names(AccessCheckerName.self)), in the order of asking",
            SettingsValue.choices
        ),
        SettingsKey("Azure", "ConfirmRefusals", \.azure.confirmRefusals, "yes or no", SettingsValue.boolean),
        SettingsKey(
            "Azure",
            "CheckAccountEnabled",
            \.azure.checkAccountEnabled,
            "yes or no",
            SettingsValue.boolean
        ),
        SettingsKey("Azure", "TenantID", \.azure.tenantID, "a GUID") { text throws(SettingsFlaw) in
            TenantID(try SettingsValue.guid(text))
        },
        SettingsKey("Azure", "ClientID", \.azure.clientID, "a GUID") { text throws(SettingsFlaw) in
            try SettingsValue.guid(text)
        },
        SettingsKey(
            "Azure",
            "Proxy",
            \.azure.proxy,
            "http:// or https://, maybe user:password@, host, port",
            isSecret: true,
            SettingsValue.proxy
        ),
        SettingsKey(
            "Azure",
            "NoProxy",
            \.azure.noProxy,
            "hosts and networks, separated by commas",
            SettingsValue.hosts
        ),
        SettingsKey("Azure", "CAFile", \.azure.authoritiesFile, "an absolute path", SettingsValue.optionalPath),
    ]

    private static let keys: [SettingsKey] = [
        SettingsKey("Keys", "Sources", \.keys.sources, "\(names(KeySourceName.self)), in order", SettingsValue.choices),
        SettingsKey("Keys", "File", \.keys.file, "an absolute path", SettingsValue.optionalPath),
        SettingsKey("Keys", "RevokedKeys", \.keys.revokedKeys, "an absolute path", SettingsValue.optionalPath),
    ]

    private static let accounts: [SettingsKey] = [
        SettingsKey(
            "Accounts",
            "Domains",
            \.accounts.domains,
            "domains, separated by blanks",
            SettingsValue.domains,
            writtenAs: { $0.isEmpty ? "any" : $0.written }
        ),
        SettingsKey(
            "Accounts",
            "HomeTemplate",
            \.accounts.homeTemplate,
            "an absolute path with %n (name), %l (part before the @) or %d (domain)",
            SettingsValue.homeTemplate
        ),
        SettingsKey("Accounts", "Shell", \.accounts.shell, "an absolute path", SettingsValue.path),
        SettingsKey("Accounts", "UsersGroup", \.accounts.usersGroup, "a new group's name", SettingsValue.group),
        SettingsKey(
            "Accounts",
            "AdministratorsGroup",
            \.accounts.administratorsGroup,
            "a new group's name",
            SettingsValue.group
        ),
        SettingsKey(
            "Accounts",
            "IDRange",
            \.accounts.numbers,
            "first-last, within 1879049216-2147352575, 65536 numbers at least",
            SettingsValue.numbers
        ),
        SettingsKey("Accounts", "SubordinateIDs", \.accounts.subordinateIDs, "yes or no", SettingsValue.boolean),
        SettingsKey(
            "Accounts",
            "SubordinateIDRange",
            \.accounts.subordinateNumbers,
            "first-last, within 65536-1879048191 or 2147483648-4294901759, 65536 numbers at least",
            SettingsValue.subordinateNumbers
        ),
        SettingsKey("Accounts", "ShortNames", \.accounts.shortNames, "a domain", SettingsValue.domain),
        SettingsKey("Accounts", "Enumerate", \.accounts.enumerate, "yes or no", SettingsValue.boolean),
        SettingsKey(
            "Accounts",
            "ProvisionalCallers",
            \.accounts.provisionalCallers,
            "beginnings of command names, separated by blanks",
            SettingsValue.commands
        ),
    ]

    private static let overrides: [SettingsKey] = [
        SettingsKey(
            "Overrides",
            "Home",
            \.accounts.homeOverrides,
            "WHO:PATH, separated by blanks; WHO: a name, *@domain or %group; PATH as in HomeTemplate=",
            SettingsValue.homeOverrides
        ),
        SettingsKey(
            "Overrides",
            "Shell",
            \.accounts.shellOverrides,
            "WHO:PATH, separated by blanks; WHO: a name, *@domain or %group",
            SettingsValue.shellOverrides
        ),
    ]

    private static let signIn: [SettingsKey] = [
        SettingsKey(
            "SignIn",
            "ClockSkew",
            \.signIn.clockSkew,
            "a time span, at most 10min",
            SettingsValue.span(in: 0...600)
        ),
        SettingsKey(
            "SignIn",
            "MaxCertificateLifetime",
            \.signIn.maximumCertificateLifetime,
            "a time span, 5min to 7d",
            SettingsValue.span(in: 300...7 * 86_400)
        ),
        SettingsKey(
            "SignIn",
            "OfflineGrace",
            \.signIn.offlineGrace,
            "a time span, at most 24h; 0: off",
            SettingsValue.span(in: 0...86_400)
        ),
        SettingsKey(
            "SignIn",
            "GrantLifetime",
            \.signIn.grantLifetime,
            "a time span, 5min to 24h",
            SettingsValue.span(in: 300...86_400)
        ),
        SettingsKey(
            "SignIn",
            "MaxSignInAge",
            \.signIn.maximumSignInAge,
            "a time span, 1h to 365d",
            SettingsValue.span(in: 3600...365 * 86_400)
        ),
        SettingsKey("SignIn", "EndSessions", \.signIn.endSessions, "yes or no", SettingsValue.boolean),
        SettingsKey(
            "SignIn",
            "EndSessionsAfter",
            \.signIn.endSessionsAfter,
            "a time span, at most 24h",
            SettingsValue.span(in: 0...86_400)
        ),
    ]

    private static let deviceSignIn: [SettingsKey] = [
        SettingsKey("DeviceSignIn", "ClientID", \.deviceSignIn.clientID, "a GUID") { text throws(SettingsFlaw) in
            try SettingsValue.guid(text)
        },
        SettingsKey(
            "DeviceSignIn",
            "Services",
            \.deviceSignIn.services,
            names(DeviceServiceName.self),
            SettingsValue.choices
        ),
        SettingsKey(
            "DeviceSignIn",
            "Limit",
            \.deviceSignIn.limit,
            "a time span, 1min to 15min",
            SettingsValue.span(in: 60...900)
        ),
    ]

    private static let log: [SettingsKey] = [
        SettingsKey(
            "Log",
            "Level",
            \.log.level,
            "error, warning, notice, info or debug",
            SettingsValue.level,
            writtenAs: SettingsValue.name(ofLevel:)
        ),
        SettingsKey("Log", "Audit", \.log.audit, "yes or no", SettingsValue.boolean),
    ]
}

extension SettingsKey {
    /// `Section.Key`.
    package var fullName: String { "\(section).\(name)" }

    /// The value in a form that may be shown: of a secret's part before the @, only the scheme (P12).
    package func shownText(_ settings: Settings) -> String {
        let value = text(settings)
        guard isSecret, let at = value.lastIndex(of: "@") else { return value }
        let scheme = ["http://", "https://"].first(where: value.hasPrefix) ?? ""
        return scheme + "***" + value[at...]
    }
}
