// SPDX-License-Identifier: Apache-2.0

internal import CWire

/// The part of a user principal name before the `@`, as the whole name of an account (`ShortNames=`).
///
/// The shape is `entralogin_name_is_short` of CWire, which the modules in other processes apply too: at most 32 bytes
/// of a-z 0-9 . -, beginning with a letter. Any user's name may have it, so it is an account's only where nobody else
/// has it.
package struct ShortName: Hashable, Sendable, CustomStringConvertible {
    /// The group of every account that has one, and its number (`ENTRALOGIN_SHORT_GROUP`).
    package static let group = ENTRALOGIN_SHORT_GROUP
    package static let groupNumber = UInt32(ENTRALOGIN_ID_FIRST) + 2

    package let text: String

    /// Nil where the text cannot be a user's name everywhere.
    package init?(_ text: some StringProtocol) {
        var copy = String(text)
        let isShort = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { entralogin_name_is_short($0.baseAddress, $0.count) != 0 }
        }
        guard isShort else { return nil }
        self.text = copy
    }

    /// The name means something on Linux machines: no account gets it. One that has it by an older version keeps it.
    package var isReserved: Bool { Self.reserved.contains(text) || RootGroups.power(of: text) != nil }

    package var description: String { text }

    /// Names that packages give to users and groups of their own, also when they are installed later: a package takes
    /// an account that is there for its own. Those of base-passwd (Debian) and setup (Fedora), and of what runs as a
    /// server often.
    private static let reserved: Set<String> = [
        "adm", "admin", "apache", "avahi", "backup", "bin", "bind", "cdrom", "chrony", "clamav", "colord", "crontab",
        "daemon", "dbus", "dialout", "dip", "dnsmasq", "dovecot", "elasticsearch", "fax", "floppy", "ftp", "games",
        "git", "gitlab-runner", "gnats", "grafana", "haproxy", "halt", "input", "irc", "jenkins", "kafka", "kvm",
        "ldap", "list", "lock", "lp", "mail", "man", "memcached", "messagebus", "mongodb", "mongod", "munge", "mysql",
        "named", "news", "nginx", "nobody", "nogroup", "ntp", "ollama", "openldap", "operator", "plugdev", "podman",
        "polkitd", "postfix", "postgres", "prometheus", "proxy", "puppet", "rabbitmq", "radiusd", "redis", "render",
        "root", "rpc", "rpcuser", "rtkit", "saned", "sasl", "scanner", "sgx", "shutdown", "slurm", "squid", "src",
        "sshd", "ssl-cert", "sssd", "sync", "sys", "syslog", "tape", "tcpdump", "tomcat", "tss", "tty", "ubuntu",
        "azureuser", "unbound", "users", "utmp", "uucp", "uuidd", "video", "voice", "voip", "waagent", "walinuxagent",
        "www", "www-data", "zabbix",
    ]
}

extension UserName {
    /// The short name that the account may have where people of this domain are to have one; nil for others, and for a
    /// name whose local part cannot be one.
    package func shortName(in domain: String?) -> ShortName? {
        guard let own = self.domain, let domain, own == domain else { return nil }
        return ShortName(localPart)
    }

    /// The whole name of a short one.
    package init?(_ name: ShortName, in domain: String) { self.init("\(name)@\(domain)") }
}

/// The name by which the system knows an account, whole or short: that of lines in files.
package struct SystemName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init(_ name: UserName) { text = name.text }

    package init(_ name: ShortName) { text = name.text }

    package var description: String { text }
}
