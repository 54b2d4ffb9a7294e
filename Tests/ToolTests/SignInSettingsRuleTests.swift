// SPDX-License-Identifier: Apache-2.0

import Integration
import Settings
import Testing

@testable import entraloginctl

struct SignInSettingsRuleTests {
    private func evaluate(_ lines: String) throws -> [Finding] {
        let read = EffectiveSettings.read([SettingsText(path: "/etc/a.conf", text: lines)])
        return SignInSettingsRule(settings: ToolSettings(try read.get(), [])).evaluate()
    }

    @Test(
        "P16: settings that refuse Entra's certificates or newcomers are errors with their line; done as told, they are gone",
        arguments: [
            (
                "[SignIn]\nMaxCertificateLifetime=1h\n", "settings.certificate-lifetime",
                "[SignIn]\nMaxCertificateLifetime=65min\n"
            ),
            ("[Accounts]\nProvisionalCallers=nscd\n", "settings.callers", "[Accounts]\nProvisionalCallers=nscd sshd\n"),
        ]
    )
    func settings(wrong: String, id: String, right: String) throws {
        let found = try evaluate(wrong)
        try #require(found.map(\.id.text) == [id])
        #expect(found[0].severity == .error && found[0].place == "/etc/a.conf:2" && found[0].keepsOut != nil)
        #expect(found[0].remedy.contains("take the line out"))
        #expect(try evaluate(right).isEmpty && evaluate("").isEmpty)
    }
}
