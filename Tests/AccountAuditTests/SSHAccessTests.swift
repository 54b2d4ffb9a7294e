// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AccountAudit
@testable import Integration

struct SSHAccessTests {
    private static let plain = """
        usepam yes
        permitrootlogin without-password
        pubkeyauthentication yes
        passwordauthentication yes
        kbdinteractiveauthentication no
        hostbasedauthentication no
        gssapiauthentication no
        permitemptypasswords no
        trustedusercakeys none
        authorizedprincipalsfile none
        authorizedprincipalscommand none
        authorizedkeyscommand none
        authorizedkeysfile .ssh/authorized_keys /etc/keys/%u
        """

    private func access(
        _ change: (String, String)...,
        more: String = "",
        uid: UInt32 = 1001,
        password: AccountFiles.Password = .set,
        isMarkedLocked: Bool = false,
        groups: [String]? = ["lisa", "staff"]
    ) -> SSHAccess {
        let text = change.reduce(Self.plain) { $0.replacing($1.0, with: $1.1) } + "\n" + more
        let entry = AccountFiles.Entry(
            name: "lisa",
            uid: uid,
            home: "/home/lisa",
            shell: "/bin/sh",
            password: password,
            isMarkedLocked: isMarkedLocked,
            isExpired: false
        )
        return SSHAccess(SSHDConfiguration(text), for: entry, groups: groups)
    }

    @Test("Files of keys are those that sshd reads for this account")
    func keyFiles() {
        #expect(access().keyFiles == ["/home/lisa/.ssh/authorized_keys", "/etc/keys/lisa"])
        #expect(access((".ssh/authorized_keys /etc/keys/%u", "%h/k%%%U")).keyFiles == ["/home/lisa/k%1001"])
        #expect(access((".ssh/authorized_keys /etc/keys/%u", "none")).keyFiles == [])
        #expect(access((".ssh/authorized_keys /etc/keys/%u", "/k/%x")).keyFiles == nil)
        #expect(access(("pubkeyauthentication yes", "pubkeyauthentication no")).keyFiles == [])
        #expect(access(("authorizedkeyscommand none", "authorizedkeyscommand /bin/keys %u")).asksProgramForKeys)
        #expect(!access().asksProgramForKeys)
    }

    @Test("Passwords: by sshd itself or by PAM, root's only where it says yes, an empty one only where it may be")
    func passwords() {
        #expect(access().takesPassword)
        let off = ("passwordauthentication yes", "passwordauthentication no")
        #expect(!access(off).takesPassword)
        #expect(access(off, ("kbdinteractiveauthentication no", "kbdinteractiveauthentication yes")).takesPassword)
        #expect(!access(uid: 0).takesPassword)
        #expect(access(("permitrootlogin without-password", "permitrootlogin yes"), uid: 0).takesPassword)
        #expect(!access(password: .empty).takesPassword)
        #expect(access(("permitemptypasswords no", "permitemptypasswords yes"), password: .empty).takesPassword)
    }

    @Test("Certificates of an authority count, unless only our helper says for whom they are")
    func certificates() {
        let authority = ("trustedusercakeys none", "trustedusercakeys /etc/ssh/ca")
        let helper = (
            "authorizedprincipalscommand none", "authorizedprincipalscommand \(SSHDRule.helper) %u %U %h %t %k"
        )
        #expect(!access().takesCertificates)
        #expect(access(authority).takesCertificates)
        #expect(!access(authority, helper).takesCertificates)
        let file = ("authorizedprincipalsfile none", "authorizedprincipalsfile /etc/p/%u")
        #expect(access(authority, helper, file).takesCertificates)
        let other = ("authorizedprincipalscommand none", "authorizedprincipalscommand \(SSHDRule.helper)2 %u")
        #expect(access(authority, other).takesCertificates)
    }

    @Test("Other machines' word and Kerberos")
    func others() {
        #expect(!access().trustsHosts && !access().asksKerberos)
        #expect(access(("hostbasedauthentication no", "hostbasedauthentication yes")).trustsHosts)
        #expect(access(("gssapiauthentication no", "gssapiauthentication yes")).asksKerberos)
        #expect(access(more: "kerberosauthentication yes").asksKerberos)
    }

    @Test(
        "Whom sshd turns away has no way in; what depends on where from does not count as turned away",
        arguments: [
            ("allowusers root", false), ("allowusers root\nallowusers li?a", true), ("allowusers lisa@10.0.0.1", true),
            ("denyusers l*", false), ("denyusers lisa@10.0.0.1", true), ("allowgroups admins", false),
            ("allowgroups admins\nallowgroups sta*", true), ("denygroups staff", false),
            ("allowusers lisa\ndenyusers lisa", false),
        ]
    )
    func admittance(lines: String, isOpen: Bool) {
        let access = access(more: lines)
        #expect(access.isOpen == isOpen)
        #expect(access.keyFiles?.isEmpty == !isOpen && access.takesPassword == isOpen)
    }

    @Test("Groups that are not known turn nobody away; root may be kept out, and a locked account without PAM is")
    func closed() {
        #expect(access(more: "allowgroups admins", groups: nil).isOpen)
        #expect(!access(("permitrootlogin without-password", "permitrootlogin no"), uid: 0).isOpen)
        #expect(access(("permitrootlogin without-password", "permitrootlogin no")).isOpen)
        #expect(access(isMarkedLocked: true).isOpen)
        #expect(!access(("usepam yes", "usepam no"), isMarkedLocked: true).isOpen)
    }
}
