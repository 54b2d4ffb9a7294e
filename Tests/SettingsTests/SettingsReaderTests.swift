// SPDX-License-Identifier: Apache-2.0

import Settings
import Testing

private func read(_ texts: String...) -> Result<EffectiveSettings, SettingsProblems> {
    EffectiveSettings.read(texts.enumerated().map { SettingsText(path: "/etc/\($0.offset).conf", text: $0.element) })
}

private func problems(_ text: String) -> [String] {
    guard case .failure(let problems) = read(text) else { return [] }
    return problems.all.map(\.description)
}

@Suite struct SettingsReaderTests {
    @Test("nothing set gives the defaults, and no origin")
    func defaults() throws {
        let settings = try read("", "# only a comment\n; and another\n\n[Azure]\n").get()
        #expect(settings.values == Settings())
        #expect(settings.origins.isEmpty)
    }

    @Test("a later file wins, and the origin says which")
    func order() throws {
        let settings = try read("[SignIn]\nOfflineGrace=2h\n", "[SignIn]\r\n OfflineGrace = 0 \r\n").get()
        #expect(settings.values.signIn.offlineGrace == .zero)
        #expect(settings.origins.mapValues(\.description) == ["SignIn.OfflineGrace": "/etc/1.conf:2"])
    }

    @Test("a key without a value goes back to its default")
    func reset() throws {
        let settings = try read("[Accounts]\nDomains=contoso.com\nDomains=\n").get()
        #expect(settings.values == Settings())
        #expect(settings.origins.isEmpty)
    }

    @Test("every problem is named with file and line, and nothing is taken")
    func everyProblem() {
        let found = problems("[Azure]\nColour=blue\nTenantID=x\n[Nonsense]\nKey=1\nloose words\n")
        #expect(found.count == 5)
        #expect(found[0].hasPrefix("/etc/0.conf:2: unknown key \"Colour\" in [Azure]; it has LoginEndpoint"))
        #expect(found[1] == "/etc/0.conf:3: TenantID=\"x\": must be a GUID (allowed: a GUID)")
        #expect(found[2].hasPrefix("/etc/0.conf:4: unknown section \"[Nonsense]\""))
        #expect(found[3].hasPrefix("/etc/0.conf:5: \"Key\" stands in no [Section]"))
        #expect(found[4].hasPrefix("/etc/0.conf:6: neither [Section] nor Key=value"))
    }

    @Test("a value from the file is quoted, bounded and without control characters in a message")
    func hostile() {
        let found = problems("[Azure]\nTenantID=\u{1b}[2J" + String(repeating: "a", count: 500) + "\n")
        #expect(found.count == 1)
        #expect(found[0].utf8.count < 200)
        #expect(!found[0].utf8.contains(0x1b))
    }

    @Test("P12: a proxy's password is in no message")
    func secret() {
        let found = problems("[Azure]\nProxy=http://user:hunter2@proxy:3128/\n")
        #expect(found.first?.hasPrefix("/etc/0.conf:2: Proxy=: must be") == true)
        #expect(found.allSatisfy { !$0.contains("hunter2") })
        #expect(SettingsKey.all.filter(\.isSecret).map(\.name) == ["Proxy"])
    }

    @Test("only a line feed ends a line, so nothing hides in a comment")
    func lineEnds() throws {
        let comment = "# a\u{2028}[Log]\u{85}Level=debug\u{b}Level=debug\r[Log]"
        let origins = try read(comment + "\n[Log]\nLevel=error\n").get().origins
        #expect(origins.mapValues(\.description) == ["Log.Level": "/etc/0.conf:3"])
    }

    @Test("P13: whatever the bytes, a file is taken whole or refused by line, and nothing traps")
    func mutations() {
        let seed = """
            [Azure]
            Proxy=http://u:p@proxy:3128
            MetadataEndpoint=http://169.254.169.254:80
            [Accounts]
            Domains=contoso.com, fabrikam.com
            HomeTemplate=/home/%l
            [SignIn]
            OfflineGrace=1h 30min
            """
        let spice = Array("[]=#;\\%:/@. \t\r\n09azAZ\u{0}\u{1b}\u{e9}\u{2028}\u{1f600}".unicodeScalars)
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            // Knuth's linear congruential generator (MMIX): the same texts in every run.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<5000 {
            var scalars = Array(seed.unicodeScalars)
            for _ in 0...random(6) {
                switch random(3) {
                case 0: scalars.remove(at: random(scalars.count))
                case 1: scalars.insert(spice[random(spice.count)], at: random(scalars.count))
                default: scalars[random(scalars.count)] = spice[random(spice.count)]
                }
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            guard case .failure(let problems) = read(String(text)) else { continue }
            refused += 1
            let lines = text.count { $0 == "\n" } + 1
            #expect(problems.all.allSatisfy { (1...lines).contains($0.line) && $0.description.utf8.count < 1000 })
        }
        #expect(refused > 1000 && refused < 5000)
    }

    @Test("a continued line is refused, not misread")
    func continuation() {
        #expect(problems("[Azure]\nNoProxy=a,\\\nb\n").first?.contains("continued") == true)
    }

    @Test("keys that need each other are checked together")
    func together() {
        #expect(problems("[Keys]\nSources=file\n").first?.contains("File= must say which") == true)
        #expect(problems("[Accounts]\nAdministratorsGroup=entra_users\n").first?.contains("must differ") == true)
        #expect(problems("[Azure]\nAccessCheckers=,\n").first?.contains("at least") == true)
    }
}

@Suite struct SettingsValueTests {
    @Test(
        "good values",
        arguments: [
            ("Azure", "LoginEndpoint", "https://login.microsoftonline.us"),
            ("Azure", "PolicyEndpoint", "https://pas.windows.net:8443"),
            ("Azure", "ResourceManagerEndpoint", "https://management.azure.com"),
            ("Azure", "MetadataEndpoint", "http://127.0.0.1:8080"),
            ("Azure", "AccessCheckers", "arm"),
            ("Azure", "AccessCheckers", "arm-roleassignments, pas"),
            ("Azure", "TenantID", "AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
            ("Azure", "ClientID", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"),
            ("Azure", "Proxy", "http://user:p%40ss@proxy.contoso.com:3128"),
            ("Azure", "NoProxy", "localhost,.contoso.com,10.0.0.0/8"),
            ("Azure", "CAFile", "/etc/ssl/private-cloud.pem"),
            ("Keys", "Sources", "jwks imds"),
            ("Keys", "File", "/etc/entralogin/keys"),
            ("Keys", "RevokedKeys", "/etc/entralogin/revoked_keys"),
            ("Accounts", "Domains", "contoso.com fabrikam.com"),
            ("Accounts", "Domains", "any"),
            ("Accounts", "HomeTemplate", "/srv/home/%d/%l"),
            ("Accounts", "Shell", "/usr/bin/zsh"),
            ("Accounts", "UsersGroup", "cloud_users"),
            ("Accounts", "IDRange", "2000200000-2147352575"), ("Accounts", "IDRange", "1879049216 - 1879114751"),
            ("Accounts", "SubordinateIDs", "yes"), ("Accounts", "SubordinateIDRange", "65536-1879048191"),
            ("Accounts", "SubordinateIDRange", "524288 - 589823"),
            ("Accounts", "SubordinateIDRange", "2147483648-4294901759"),
            ("Accounts", "ShortNames", "Contoso.com"), ("Accounts", "ShortNames", "a.b-c.example"),
            ("Accounts", "Enumerate", "Yes"),
            ("Accounts", "ProvisionalCallers", "sshd dropbear"),
            ("Overrides", "Home", "alice@contoso.com:/data/alice  *@Contoso.com:/srv/%l %my-group:/x/%n"),
            ("Overrides", "Shell", "0f8fad5b-d9cb-469f-a165-70867728950e:/bin/sh %a:/bin/zsh"),
            ("SignIn", "ClockSkew", "0"),
            ("SignIn", "MaxCertificateLifetime", "1h 30min"),
            ("SignIn", "OfflineGrace", "90"),
            ("SignIn", "GrantLifetime", "24h"),
            ("SignIn", "MaxSignInAge", "2w"),
            ("SignIn", "EndSessions", "yes"), ("SignIn", "EndSessionsAfter", "10min"),
            ("Log", "Level", "debug"), ("Log", "Audit", "no"),
        ]
    )
    func good(section: String, key: String, value: String) throws {
        _ = try read("[\(section)]\n\(key)=\(value)\n").get()
    }

    @Test(
        "bad values are refused with the line and what is allowed",
        arguments: [
            ("Azure", "LoginEndpoint", "http://login.microsoftonline.com"),
            ("Azure", "PolicyEndpoint", "https://pas.windows.net/path"),
            ("Azure", "PolicyEndpoint", "https://user@pas.windows.net"),
            ("Azure", "ResourceManagerEndpoint", "https://"),
            ("Azure", "ResourceManagerEndpoint", "https://host:0"),
            ("Azure", "MetadataEndpoint", "http://metadata.internal"),
            ("Azure", "MetadataEndpoint", "https://169.254.169.254"),
            ("Azure", "AccessCheckers", "pas pas"),
            ("Azure", "AccessCheckers", "ldap"),
            ("Azure", "TenantID", "contoso.com"),
            ("Azure", "Proxy", "socks5://proxy:1080"),
            ("Azure", "NoProxy", "a;b"),
            ("Azure", "CAFile", "relative.pem"),
            ("Keys", "Sources", "jwks, keyserver"),
            ("Keys", "RevokedKeys", "revoked_keys"),
            ("Accounts", "Domains", "-contoso.com"),
            ("Accounts", "HomeTemplate", "/home/everybody"),
            ("Accounts", "HomeTemplate", "/home/%x"),
            ("Accounts", "Shell", "bash"),
            ("Accounts", "Shell", "/bin/../bin/bash"),
            ("Accounts", "UsersGroup", "sudo"),
            ("Accounts", "UsersGroup", "docker"),
            ("Accounts", "AdministratorsGroup", "0wners"),
            ("Accounts", "AdministratorsGroup", String(repeating: "a", count: 33)),
            ("Accounts", "IDRange", "2000200000"), ("Accounts", "IDRange", "2147352575-2000200000"),
            ("Accounts", "IDRange", "1879048192-2147352575"), ("Accounts", "IDRange", "2000000000-2147352576"),
            ("Accounts", "IDRange", "1879049216-1879114750"), ("Accounts", "IDRange", "1-2-3"),
            ("Accounts", "IDRange", "-1-2000000000"), ("Accounts", "IDRange", "0x70000400-2147352575"),
            ("Accounts", "ShortNames", "yes"), ("Accounts", "ShortNames", "contoso.com fabrikam.com"),
            ("Accounts", "ShortNames", "any.\(String(repeating: "a", count: 45))"),
            ("Accounts", "ShortNames", "@contoso.com"),
            ("Accounts", "UsersGroup", "entra_short_names"),
            ("Accounts", "SubordinateIDs", "65536"), ("Accounts", "SubordinateIDRange", "yes"),
            ("Accounts", "SubordinateIDRange", "65535-1879048191"),
            ("Accounts", "SubordinateIDRange", "65536-1879048192"),
            ("Accounts", "SubordinateIDRange", "65536-131070"),
            ("Accounts", "SubordinateIDRange", "1879048191-2147483648"),
            ("Accounts", "SubordinateIDRange", "2147483647-4294901759"),
            ("Accounts", "SubordinateIDRange", "2147483648-4294901760"),
            ("Accounts", "SubordinateIDRange", "65536-4294967296"), ("Accounts", "SubordinateIDRange", "131072-65536"),
            ("Accounts", "Enumerate", "maybe"),
            ("Accounts", "ProvisionalCallers", "/usr/sbin/sshd"),
            ("Overrides", "Home", "*@contoso.com:/home/same"), ("Overrides", "Home", "%builders:/home/same"),
            ("Overrides", "Home", "alice@contoso.com"), ("Overrides", "Home", "alice@contoso.com:data"),
            ("Overrides", "Home", "root:/x/%n"), ("Overrides", "Home", "*:/x/%n"), ("Overrides", "Home", "%:/x/%n"),
            ("Overrides", "Home", "*@a.b:/x/%n *@A.b:/y/%n"), ("Overrides", "Home", "%a,b:/x/%n"),
            ("Overrides", "Shell", "*@contoso.com:zsh"), ("Overrides", "Shell", ":/bin/sh"),
            ("Overrides", "Shell", (0..<257).map { "a\($0)@b.c:/bin/sh" }.joined(separator: " ")),
            ("SignIn", "ClockSkew", "11min"),
            ("SignIn", "MaxCertificateLifetime", "10s"),
            ("SignIn", "OfflineGrace", "25h"),
            ("SignIn", "OfflineGrace", "-1"),
            ("SignIn", "GrantLifetime", "1 fortnight"),
            ("SignIn", "MaxSignInAge", "99999999999999999999d"),
            ("SignIn", "MaxSignInAge", String(repeating: "1000000000w ", count: 20_000)),
            ("Log", "Level", "loud"), ("Log", "Audit", "maybe"),
        ]
    )
    func bad(section: String, key: String, value: String) {
        let found = problems("[\(section)]\n\(key)=\(value)\n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("/etc/0.conf:2: \(key)=") == true)
        #expect(found.first?.contains("(allowed: ") == true)
    }

    @Test("the table has each key once")
    func table() {
        let places = SettingsKey.all.map { "\($0.section).\($0.name)" }
        #expect(Set(places).count == places.count)
    }

    @Test("time spans add up")
    func spans() throws {
        let settings = try read("[SignIn]\nMaxSignInAge=1w 2d 3h 4min 5s\n").get()
        #expect(settings.values.signIn.maximumSignInAge == .seconds(788_645))
    }

    @Test(
        "P17: a key that an earlier version had is read, whatever its value, and reported with its line",
        arguments: [("Accounts", "UserDatabase", "yes"), ("SignIn", "StrictExtensionOrder", "perhaps")]
    )
    func former(section: String, key: String, value: String) throws {
        let settings = try read("[\(section)]\n\(key)=\(value)\n[Accounts]\nEnumerate=yes\n").get()
        #expect(settings.values.accounts.enumerate && settings.origins.count == 1)
        let remark = try #require(settings.remarks.first)
        #expect(settings.remarks.count == 1 && remark.line == 2)
        #expect(remark.text.hasPrefix("\(key)= has no effect any more"))
    }

    @Test("such a key in another section is unknown there, as any other word is")
    func formerElsewhere() throws {
        #expect(throws: SettingsProblems.self) { try read("[Log]\nUserDatabase=yes\n").get() }
    }
}
