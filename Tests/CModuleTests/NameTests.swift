// SPDX-License-Identifier: Apache-2.0

import CWire
import Testing

@Suite("Names and ids that can be an Entra account's")
struct NameTests {
    static let valid = [
        "alice@contoso.com", "o'brien@mail.contoso.com", "a.b-c_d@x", "1@2.3", "-a@b", "a@b-c.d",
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        String(repeating: "a", count: 64) + "@" + String(repeating: "b", count: 48),
    ]
    static let foreign = [
        "", "@", "a@", "@b", "ab", "root", "nobody", "alice", "alice@contoso.com.", "alice@.com", "alice@a..b", "a@b@c",
        ".a@b.c", "a.@b.c", "a@-b", "a@b-.c", "a@b.-c", "a b@c", "a:b@c", "a/b@c", "a\n@c", "ä@b", "a+b@c", "a\\b@c",
        "guest_x#ext#@contoso.com", "a!b@c", "a^b@c", "a~b@c", "a,b@c", "a%b@c", "*@b", "a@b/c", "a@b:c", "a@b_c",
        "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950ef",
        "0f8fad5bad9cb-469f-a165-70867728950e",
        "0g8fad5b-d9cb-469f-a165-70867728950e",
        String(repeating: "a", count: 65) + "@" + String(repeating: "b", count: 48),
        "pam_unix_non_existent:", "a@b\0",
    ]

    private func isOurs(_ name: String) -> Bool {
        name.withCString { entralogin_name_is_valid($0, name.utf8.count) != 0 }
    }

    private func foldsToOurs(_ name: String) -> Bool {
        name.withCString { entralogin_name_folds_to_valid($0, name.utf8.count) != 0 }
    }

    @Test("P7: A user principal name and a GUID in lower case can be an Entra account's", arguments: valid)
    func accepted(_ name: String) {
        #expect(isOurs(name) && foldsToOurs(name))
        let upper = name.uppercased()
        #expect(foldsToOurs(upper) && isOurs(upper) == (upper == name))
    }

    @Test("P7: Everything else cannot be an Entra account's", arguments: foreign)
    func refused(_ name: String) {
        #expect(!isOurs(name) && !foldsToOurs(name))
    }

    @Test("P7: No name of a group that means root somewhere can be one of entralogin's groups'")
    func groups() {
        let isOurs = { (name: String) in name.withCString { entralogin_group_name_is_valid($0, name.utf8.count) != 0 } }
        for name in ["entra_users", "entra_admins", "aad_admins", "a_", "cloud-users_2"] { #expect(isOurs(name)) }
        let foreign = [
            "", "root", "sudo", "wheel", "adm", "admin", "docker", "lxd", "libvirt", "disk", "shadow", "kvm",
            "entra-admins",
            "systemd_journal", "systemd-x_y", "_ssh", "Entra_users", "entra users_", "entra_users:", "1_a", "a_\n",
            "a_" + String(repeating: "b", count: 31),
        ]
        for name in foreign { #expect(!isOurs(name), "\(name)") }
    }

    @Test("P7: The range of ids is what systemd calls unused, and groups come before users")
    func ids() {
        let inside: [UInt32] = [ENTRALOGIN_ID_FIRST + ENTRALOGIN_GROUP_IDS, ENTRALOGIN_ID_LAST]
        let outside: [UInt32] = [0, 1000, 65_534, 1_879_048_191, ENTRALOGIN_ID_FIRST, ENTRALOGIN_ID_LAST + 1, .max]
        for uid in inside { #expect(entralogin_uid_in_range(uid) != 0 && entralogin_gid_in_range(uid) != 0) }
        for uid in outside { #expect(entralogin_uid_in_range(uid) == 0) }
        #expect(entralogin_gid_in_range(ENTRALOGIN_ID_FIRST) != 0 && entralogin_gid_in_range(0) == 0)
    }
}
