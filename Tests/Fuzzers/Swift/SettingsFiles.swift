// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Settings

// Seeds: written by hand, from Documentation/settings.md.

func takesSettings(_ bytes: [UInt8]) -> Bool {
    let texts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    let files = texts.enumerated().map { index, text in
        SettingsText(path: "/etc/entralogin/\(index).conf", text: String(decoding: text, as: UTF8.self))
    }
    switch EffectiveSettings.read(files) {
    case .failure(let problems):
        promise(!problems.all.isEmpty, "a failure without a reason")
        for problem in problems.all { check(problem, in: files) }
        return false
    case .success(let settings):
        check(settings.values)
        let groups = settings.values.groups
        for place in settings.origins.keys {
            let isKey = SettingsKey.all.contains { "\($0.section).\($0.name)" == place }
            promise(isKey || groups.contains { "Groups.\($0.name)" == place }, "a value of no key")
        }
        promise(groups.count <= EntraGroup.limit, "too many groups")
        promise(groups.allSatisfy { EntraGroup.flaw(of: $0.name) == nil }, "a group that means root somewhere")
        promise(Set(groups.map(\.name)).count == groups.count, "one name, two groups")
        promise(Set(groups.map(\.objectID)).count == groups.count, "one group, two names")
        return true
    }
}

private func check(_ problem: SettingsProblem, in files: [SettingsText]) {
    guard let file = files.first(where: { $0.path == problem.path }) else {
        fatalError("a problem names no file: \(problem)")
    }
    let lines = file.text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    promise((1...lines).contains(problem.line), "a problem names no line: \(problem)")
    promise(problem.text.isQuoted(limit: 1000), "text is not quoted: \(problem)")
    if problem.text.hasPrefix("Proxy=") { promise(problem.text.hasPrefix("Proxy=: "), "a secret is shown (P12)") }
}

/// What the rest of the program relies on.
private func check(_ settings: Settings) {
    let azure = settings.azure
    for endpoint in [azure.loginEndpoint, azure.policyEndpoint, azure.resourceManagerEndpoint] {
        promise(endpoint?.hasPrefix("https://") ?? true, "an endpoint without TLS")
    }
    promise(azure.metadataEndpoint.hasPrefix("http://"))
    promise(!azure.accessCheckers.isEmpty && Set(azure.accessCheckers).count == azure.accessCheckers.count)
    promise(!settings.keys.sources.isEmpty && Set(settings.keys.sources).count == settings.keys.sources.count)
    promise(!settings.keys.sources.contains(.file) || settings.keys.file != nil)
    for path in [azure.authoritiesFile, settings.keys.file, settings.accounts.shell] {
        promise(path.map { $0.hasPrefix("/") && $0.isQuoted(limit: 255) } ?? true, "no path")
    }
    let accounts = settings.accounts
    promise(accounts.usersGroup != accounts.administratorsGroup, "users would be administrators")
    for group in [accounts.usersGroup, accounts.administratorsGroup] {
        promise(group.contains("_") && group.isQuoted(limit: 32), "a group that may be somebody's")
    }
    promise(accounts.domains.allSatisfy { $0.isQuoted(limit: 253) && $0 == $0.lowercased() })
    promise(accounts.provisionalCallers.allSatisfy { !$0.isEmpty && $0.isQuoted(limit: 15) })
    let signIn = settings.signIn
    promise((.zero ... .seconds(600)).contains(signIn.clockSkew))
    promise((.seconds(300) ... .seconds(7 * 86_400)).contains(signIn.maximumCertificateLifetime))
    promise((.zero ... .seconds(86_400)).contains(signIn.offlineGrace))
    promise((.seconds(300) ... .seconds(86_400)).contains(signIn.grantLifetime))
    promise((.seconds(3600) ... .seconds(365 * 86_400)).contains(signIn.maximumSignInAge))
    promise((3...7).contains(settings.log.level))
}
