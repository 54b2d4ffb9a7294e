// SPDX-License-Identifier: Apache-2.0

import Identity
import Settings
import Testing

@Suite struct SettingsGroupsTests {
    private static let id = "9f0a0000-0000-4000-8000-000000000001"
    private static let other = "9f0a0000-0000-4000-8000-000000000002"

    private func read(_ texts: String...) -> Result<EffectiveSettings, SettingsProblems> {
        EffectiveSettings.read(texts.enumerated().map { SettingsText(path: "\($0.offset).conf", text: $0.element) })
    }

    private func problem(_ text: String) -> String {
        guard case .failure(let problems) = read("[Groups]\n\(text)") else { return "" }
        return problems.all.map(\.description).joined(separator: "\n")
    }

    @Test("lines are groups, by name; a later one wins, and one without a value is taken back")
    func lines() throws {
        let settings = try read(
            "[Groups]\nops_entra=\(Self.other)\ndevelopers_entra=\(Self.id.uppercased())\n",
            "[Groups]\nops_entra=\n"
        ).get()
        #expect(
            settings.values.groups == [EntraGroup(name: "developers_entra", objectID: try #require(ObjectID(Self.id)))]
        )
        #expect(settings.origins.mapValues(\.description) == ["Groups.developers_entra": "0.conf:3"])
    }

    @Test(
        "P7: a name without an underscore, or of a group that makes root of its members, is none",
        arguments: [
            "sudo", "wheel", "docker", "developers", "snap_microk8s", "Developers_x", "_x", "systemd_x", "a b_c", "",
        ]
    )
    func names(_ name: String) {
        #expect(problem("\(name)=\(Self.id)\n").hasPrefix("0.conf:2: "))
    }

    @Test("what is no object id, one id under two names, entralogin's own names and more than fifty are refused")
    func flaws() {
        #expect(problem("x_y=developers\n").contains("must be the object id of an Entra group"))
        #expect(problem("a_a=\(Self.id)\nb_b=\(Self.id)\n").contains("0.conf:3: b_b= has the object id of a_a="))
        #expect(problem("entra_admins=\(Self.id)\n").contains("is UsersGroup= or AdministratorsGroup="))
        let lines = (0...50).map { "g_\($0)=9f0a0000-0000-4000-8000-0000000001\(String(16 + $0, radix: 16))\n" }
        #expect(problem(lines.dropLast().joined()) == "")
        #expect(problem(lines.joined()).contains("more than 50 groups"))
    }
}
