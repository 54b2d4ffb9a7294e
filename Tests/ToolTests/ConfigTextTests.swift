// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import entraloginctl

struct ConfigTextTests {
    @Test("Each setting is a line with its origin, which stands below where it leaves no room")
    func lines() {
        let settings = [
            SettingReport(key: "Log.Level", value: "info", origin: nil),
            SettingReport(key: "Accounts.Shell", value: "/bin/zsh", origin: "/etc/entralogin/entralogin.conf:3"),
            SettingReport(
                key: "Azure.CAFile",
                value: String(repeating: "/x", count: 25),
                origin: "/etc/entralogin/a.conf:2"
            ),
            SettingReport(key: "Keys.File", value: "", origin: nil),
        ]
        let lines = ConfigText(style: Style()).lines(settings)
        #expect(
            lines == [
                "Log.Level       info", "Accounts.Shell  /bin/zsh  (/etc/entralogin/entralogin.conf:3)",
                "Azure.CAFile    " + String(repeating: "/x", count: 25), "                (/etc/entralogin/a.conf:2)",
                "Keys.File       -",
            ]
        )
        #expect(lines.allSatisfy { $0.count <= Style.width })
    }

    @Test("Where the daemon goes by another value, that is said below the setting, and once what to do")
    func inForce() {
        let level = SettingReport(key: "Log.Level", value: "debug", origin: "a.conf:2", inForce: "info")
        #expect(
            ConfigText(style: Style()).lines([level]) == [
                "Log.Level  debug  (a.conf:2)", "           the daemon goes by info", "",
                "For the file's values to hold: systemctl restart entralogind",
            ]
        )
    }
}
