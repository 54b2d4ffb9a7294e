// SPDX-License-Identifier: Apache-2.0

import Settings
import Testing

private func read(_ text: String) -> Result<EffectiveSettings, SettingsProblems> {
    EffectiveSettings.read([SettingsText(path: "/etc/0.conf", text: text)])
}

@Suite struct WrittenSettingsTests {
    @Test("what config shows of any setting is what a file would say: it is read back as the same value")
    func written() throws {
        let sample = """
            [Azure]
            LoginEndpoint=https://login.contoso.com
            PolicyEndpoint=https://policy.contoso.com:8443
            ResourceManagerEndpoint=https://arm.contoso.com
            GraphEndpoint=https://graph.contoso.com
            MetadataEndpoint=http://127.0.0.1:8080
            AccessCheckers=arm pas
            ConfirmRefusals=no
            CheckAccountEnabled=yes
            TenantID=11111111-1111-4111-8111-111111111111
            ClientID=22222222-2222-4222-8222-222222222222
            Proxy=http://user:word@proxy:3128
            NoProxy=10.0.0.0/8,contoso.com
            CAFile=/etc/ca.pem
            [Keys]
            Sources=file jwks
            File=/etc/keys
            RevokedKeys=/etc/revoked
            [Accounts]
            Domains=contoso.com fabrikam.com
            HomeTemplate=/srv/%l
            Shell=/bin/zsh
            UsersGroup=cloud_users
            AdministratorsGroup=cloud_admins
            IDRange=1879100000-1889100000
            SubordinateIDs=yes
            SubordinateIDRange=600000-900000
            ShortNames=contoso.com
            Enumerate=yes
            ProvisionalCallers=sshd dropbear
            [Overrides]
            Home=alice@contoso.com:/data/alice *@fabrikam.com:/srv/%l
            Shell=%builders:/bin/zsh
            [SignIn]
            ClockSkew=2min
            MaxCertificateLifetime=1h
            OfflineGrace=2h
            GrantLifetime=30min
            MaxSignInAge=1d
            EndSessions=yes
            EndSessionsAfter=90s
            [DeviceSignIn]
            ClientID=33333333-3333-4333-8333-333333333333
            Services=sudo login
            Limit=2min
            [Log]
            Level=warning
            Audit=no
            """
        let settings = try read(sample).get()
        #expect(settings.origins.count == SettingsKey.all.count, "the sample has a value for each key")
        let shown = SettingsKey.all.map { "[\($0.section)]\n\($0.name)=\($0.text(settings.values))\n" }
        #expect(try read(shown.joined()).get().values == settings.values)
        let standard = SettingsKey.all.filter { !["", "any"].contains($0.text(Settings())) }
        let defaults = standard.map { "[\($0.section)]\n\($0.name)=\($0.text(Settings()))\n" }
        #expect(try read(defaults.joined()).get().values == Settings())
    }

    @Test("a time span is written in the largest unit that it is a whole number of")
    func spans() throws {
        for text in ["0s", "90s", "2min", "90min", "5h", "1d"] {
            let values = try read("[SignIn]\nEndSessionsAfter=\(text)\n").get().values
            #expect(SettingsKey.all.first { $0.name == "EndSessionsAfter" }?.text(values) == text)
        }
    }
}
