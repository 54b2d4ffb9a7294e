// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Files and outputs of a Debian 12 machine (OpenSSH 9.2p1, libpam 1.5.2) after `configure --enable`, without comments
/// and empty lines: `cat /etc/pam.d/NAME`, `sshd -T -C user=alice@contoso.com,host=h,addr=127.0.0.1`.
package enum Debian12 {
    /// A part of what `sudo --version` prints for root.
    package static let sudoVersion = """
        Sudo version 1.9.13p3
        Sudoers policy plugin version 1.9.13p3
        Sudoers file grammar version 50

        Sudoers path: /etc/sudoers
        Authentication methods: 'pam'

        """

    /// /etc/pam.d/sshd
    package static let sshd = #"""
        @include common-auth
        account    required     pam_nologin.so
        @include common-account
        session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so close
        session    required     pam_loginuid.so
        session    optional     pam_keyinit.so force revoke
        @include common-session
        session    optional     pam_motd.so  motd=/run/motd.dynamic
        session    optional     pam_motd.so noupdate
        session    optional     pam_mail.so standard noenv # [1]
        session    required     pam_limits.so
        session    required     pam_env.so # [1]
        session    required     pam_env.so user_readenv=1 envfile=/etc/default/locale
        session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so open
        @include common-password
        """#

    /// /etc/pam.d/sudo
    package static let sudo = #"""
        session    required   pam_limits.so
        @include common-auth
        @include common-account
        @include common-session-noninteractive
        """#

    /// /etc/pam.d/common-account
    package static let commonAccount = #"""
        account	[success=2 ignore=2 module_unknown=ignore default=die]	pam_entralogin.so
        account	requisite	pam_succeed_if.so quiet uid < 1879049216 user notingroup entra_admins user !~ *@* ruser !~ *@* user !~ ????????-????-????-????-???????????? ruser !~ ????????-????-????-????-????????????
        account	requisite	pam_succeed_if.so quiet use_uid uid < 1879049216 user !~ *@* user !~ ????????-????-????-????-????????????
        account	[success=1 new_authtok_reqd=done default=ignore]	pam_unix.so
        account	requisite			pam_deny.so
        account	required			pam_permit.so
        """#

    /// /etc/pam.d/common-session
    package static let commonSession = #"""
        session	[default=1]			pam_permit.so
        session	requisite			pam_deny.so
        session	required			pam_permit.so
        session	[success=1 ignore=1 module_unknown=ignore default=die]	pam_entralogin.so
        session	requisite	pam_succeed_if.so quiet uid < 1879049216 user !~ *@* user !~ ????????-????-????-????-????????????
        session	[success=ignore default=1]	pam_succeed_if.so quiet uid >= 1879049216 uid <= 2147352575
        session	optional	pam_mkhomedir.so umask=0077
        session	required	pam_unix.so
        session	optional	pam_systemd.so
        """#

    /// /etc/pam.d/common-session-noninteractive
    package static let commonSessionNoninteractive = #"""
        session	[default=1]			pam_permit.so
        session	requisite			pam_deny.so
        session	required			pam_permit.so
        session	required	pam_unix.so
        """#

    /// /etc/pam.d/common-auth
    package static let commonAuth = #"""
        auth	[success=1 default=ignore]	pam_unix.so nullok
        auth	requisite			pam_deny.so
        auth	required			pam_permit.so
        """#

    /// /etc/pam.d/common-password
    package static let commonPassword = #"""
        password	[success=1 default=ignore]	pam_unix.so obscure yescrypt
        password	requisite			pam_deny.so
        password	required			pam_permit.so
        """#

    /// The Match block that `configure` writes.
    package static func block(_ users: String = "*@*,????????-????-????-????-????????????") -> String {
        let lines = SSHDRule.needs.dropFirst().map { "    \($0.keyword) \($0.value)\n" }
        return "Match User \(users)\n" + lines.joined()
    }

    /// What `sshd -T` prints, without the lists of algorithms, which are too long for a line here.
    package static let configuration = #"""
        port 22
        addressfamily any
        listenaddress [::]:22
        listenaddress 0.0.0.0:22
        usepam yes
        logingracetime 120
        x11displayoffset 10
        maxauthtries 6
        maxsessions 10
        clientaliveinterval 0
        clientalivecountmax 3
        requiredrsasize 1024
        streamlocalbindmask 0177
        unusedconnectiontimeout none
        permitrootlogin without-password
        ignorerhosts yes
        ignoreuserknownhosts no
        hostbasedauthentication no
        hostbasedusesnamefrompacketonly no
        pubkeyauthentication yes
        kerberosauthentication no
        kerberosorlocalpasswd yes
        kerberosticketcleanup yes
        gssapiauthentication no
        gssapicleanupcredentials yes
        gssapikeyexchange no
        gssapistrictacceptorcheck yes
        gssapistorecredentialsonrekey no
        passwordauthentication no
        kbdinteractiveauthentication no
        printmotd no
        printlastlog yes
        x11forwarding yes
        x11uselocalhost yes
        permittty yes
        permituserrc yes
        strictmodes yes
        tcpkeepalive yes
        permitemptypasswords no
        compression yes
        gatewayports no
        usedns no
        allowtcpforwarding yes
        allowagentforwarding yes
        disableforwarding no
        allowstreamlocalforwarding yes
        streamlocalbindunlink no
        fingerprinthash SHA256
        exposeauthinfo no
        pidfile /run/sshd.pid
        modulifile /etc/ssh/moduli
        xauthlocation /usr/bin/xauth
        banner none
        forcecommand none
        chrootdirectory none
        trustedusercakeys /var/lib/entralogin-sshd/trusted_user_ca_keys
        revokedkeys none
        securitykeyprovider internal
        authorizedprincipalsfile none
        versionaddendum none
        authorizedkeyscommand none
        authorizedkeyscommanduser none
        authorizedprincipalscommand /usr/libexec/entralogin/authorized-principals %u %U %h %t %k
        authorizedprincipalscommanduser entralogin-ssh
        hostkeyagent none
        loglevel INFO
        syslogfacility AUTH
        authorizedkeysfile none
        hostkey /etc/ssh/ssh_host_rsa_key
        hostkey /etc/ssh/ssh_host_ecdsa_key
        hostkey /etc/ssh/ssh_host_ed25519_key
        acceptenv LANG
        acceptenv LC_*
        authenticationmethods publickey
        subsystem sftp /usr/lib/openssh/sftp-server
        maxstartups 10:30:100
        persourcemaxstartups none
        persourcenetblocksize 32:128
        permittunnel no
        ipqos lowdelay throughput
        rekeylimit 0 0
        permitopen any
        permitlisten any
        permituserenvironment no
        pubkeyauthoptions none
        """#
}
