// SPDX-License-Identifier: Apache-2.0

import CClient
import Glibc
import PAM
import Testing

/// sudo-rs goes by a group's name or gid, which another name service may have, too (rule.c).
@Suite("P7: PAM and groups of other name services")
struct PAMForeignRightTests {
    private static let head = "# SPDX\n# Made by /usr/libexec/entralogin/configure; what is changed here is lost.\n#\n"
    private static let byName = head + "%entra_admins ALL=(ALL:ALL) NOPASSWD: ALL\n"
    private static let byNumber = head + "%#1879048193 ALL=(ALL:ALL) NOPASSWD: ALL\n"
    private static let byPlugin =
        head + "Defaults:%#1879048192 group_plugin=/x.so\n\"%:entralogin:administrators\" ALL=(ALL:ALL) NOPASSWD: ALL\n"

    private func ask(
        _ invoking: String,
        _ rules: String?,
        service: String = "sudo",
        lookUpGroup: @escaping FakeStack.GroupLookUp = FakeStack.lookUpGroup,
        listGroups: @escaping FakeStack.GroupList = FakeStack.listGroups
    ) -> (result: Int32, lines: [String]) {
        let stack = FakeStack(service: service, user: invoking, invoking: invoking)
        let daemon = FakeDaemon { _ in .close }
        defer { daemon.stop() }
        let result = daemon.withServer {
            stack.run(
                .account,
                $0,
                accounts: nil,
                rules: rules,
                lookUpGroup: lookUpGroup,
                listGroups: listGroups
            )
        }
        return (result, stack.lines)
    }

    @Test("P7: Who is a member of the ruling group by another name service is refused, and reads why; others go on")
    func members() {
        for service in ["sudo", "sudo-i"] {
            let refused = ask("bob", Self.byName, service: service)
            #expect(refused.result == PAM_PERM_DENIED)
            #expect(refused.lines.count == 1 && refused.lines.first?.contains("another name service") == true)
            #expect(ask("theirs", Self.byName, service: service).result == PAM_PERM_DENIED, "by the number")
            #expect(ask("theirs", Self.byNumber, service: service).result == PAM_PERM_DENIED)
            #expect(ask("bob", Self.byNumber, service: service).result == PAM_IGNORE, "another number")
            #expect(ask("root", Self.byName, service: service).result == PAM_IGNORE)
            #expect(ask("nobody-has-it", Self.byName, service: service).result == PAM_IGNORE)
        }
    }

    @Test("P8: Where sudo has a plugin, the file is not configure's, or another service asks, no group is looked up")
    func others() {
        let fails: FakeStack.GroupLookUp = { _, _, _, _, _ in ENOMEM }
        let never: FakeStack.GroupList = { _, _, _, _ in -1 }
        for rules in [nil, Self.byPlugin, "%entra_admins ALL=(ALL) ALL\n", ""] {
            #expect(ask("bob", rules, lookUpGroup: fails, listGroups: never).result == PAM_IGNORE, "\(rules ?? "none")")
        }
        for service in ["su", "doas", "sshd", "cron", "login"] {
            let told = ask("bob", Self.byName, service: service, lookUpGroup: fails, listGroups: never)
            #expect(told.result == PAM_IGNORE, "\(service)")
        }
    }

    @Test("P8: A shortage that the caller can cause is a no; a directory that does not answer keeps no local user away")
    func doubt() {
        let never: FakeStack.GroupList = { _, _, _, _ in -1 }
        #expect(ask("bob", Self.byName, listGroups: never).result == PAM_PERM_DENIED)
        for (lookUp, result) in [
            ({ _, _, _, _, _ in ENOMEM } as FakeStack.GroupLookUp, PAM_PERM_DENIED),
            ({ _, _, _, _, _ in EMFILE }, PAM_PERM_DENIED), ({ _, _, _, _, _ in ERANGE }, PAM_PERM_DENIED),
            ({ _, _, _, _, _ in EIO }, PAM_IGNORE), ({ _, _, _, _, _ in ENOENT }, PAM_IGNORE),
        ] {
            #expect(ask("bob", Self.byName, lookUpGroup: lookUp).result == result)
        }
    }
}
