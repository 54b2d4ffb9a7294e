// SPDX-License-Identifier: Apache-2.0

// Documentation/findings.md says what each is about; .ci/documents checks that page against these lines.

extension FindingID {
    package static let accountsDomain = FindingID(.accounts, "domain")
    package static let accountsHome = FindingID(.accounts, "home")
    package static let accountsLists = FindingID(.accounts, "lists")
    package static let accountsShell = FindingID(.accounts, "shell")
    package static let accountsTenant = FindingID(.accounts, "tenant")
    package static let adopted = FindingID(.adopted)
    package static let adoptedList = FindingID(.adopted, "list")
    package static let adoptedStray = FindingID(.adopted, "stray")
    package static let adoptedUnlisted = FindingID(.adopted, "unlisted")
    package static let daemon = FindingID(.daemon)
    package static let daemonClock = FindingID(.daemon, "clock")
    package static let daemonKeys = FindingID(.daemon, "keys")
    package static let daemonKeysStale = FindingID(.daemon, "keys-stale")
    package static let daemonMachine = FindingID(.daemon, "machine")
    package static let daemonMachineUnknown = FindingID(.daemon, "machine-unknown")
    package static let daemonNoAuthorityKeys = FindingID(.daemon, "no-authority-keys")
    package static let daemonRefusalsOverruled = FindingID(.daemon, "refusals-overruled")
    package static let daemonRoleScope = FindingID(.daemon, "role-scope")
    package static let daemonVersion = FindingID(.daemon, "version")
    package static let disk = FindingID(.disk)
    package static let files = FindingID(.files)
    package static let filesConfiguration = FindingID(.files, "configuration")
    package static let filesNames = FindingID(.files, "names")
    package static let helper = FindingID(.helper)
    package static let home = FindingID(.home)
    package static let homes = FindingID(.homes)
    package static let ids = FindingID(.ids)
    package static let idsDefaults = FindingID(.ids, "defaults")
    package static let idsDirectory = FindingID(.ids, "directory")
    package static let idsSubordinate = FindingID(.ids, "subordinate")
    package static let idsTaken = FindingID(.ids, "taken")
    package static let integration = FindingID(.integration)
    package static let keysCopy = FindingID(.keys, "copy")
    package static let lastlog = FindingID(.lastlog)
    package static let limits = FindingID(.limits)
    package static let moduleNSS = FindingID(.module, "nss")
    package static let modulePAM = FindingID(.module, "pam")
    package static let moduleSudo = FindingID(.module, "sudo")
    package static let namespaceIDs = FindingID(.namespace, "ids")
    package static let nologin = FindingID(.nologin)
    package static let nscd = FindingID(.nscd)
    package static let oldExtension = FindingID(.oldExtension)
    package static let openssh = FindingID(.openssh)
    package static let overridesHome = FindingID(.overrides, "home")
    package static let overridesShell = FindingID(.overrides, "shell")
    package static let pam = FindingID(.pam)
    package static let pamProbe = FindingID(.pamProbe)
    package static let pamAccess = FindingID(.pam, "access")
    package static let pamLoginTimeout = FindingID(.pam, "login.timeout")
    package static let pamOthers = FindingID(.pam, "others")
    package static let pamOthersSudo = FindingID(.pam, "others.sudo")
    package static let procHidden = FindingID(.proc, "hidden")
    package static let recordingAccounts = FindingID(.recording, "accounts")
    package static let recordingSudo = FindingID(.recording, "sudo")
    package static let recordingTlog = FindingID(.recording, "tlog")
    package static let recordingTlogLocks = FindingID(.recording, "tlog-locks")
    package static let selinux = FindingID(.selinux)
    package static let settings = FindingID(.settings)
    package static let settingsCallers = FindingID(.settings, "callers")
    package static let settingsCertificateLifetime = FindingID(.settings, "certificate-lifetime")
    package static let settingsFormer = FindingID(.settings, "former")
    package static let settingsSecret = FindingID(.settings, "secret")
    package static let settingsShell = FindingID(.settings, "shell")
    package static let setupByHand = FindingID(.setup, "by-hand")
    package static let setupUnfinished = FindingID(.setup, "unfinished")
    package static let shell = FindingID(.shell)
    package static let sshd = FindingID(.sshd)
    package static let sshdAdmittance = FindingID(.sshd, "admittance")
    package static let sshdDomains = FindingID(.sshd, "domains")
    package static let sshdFiles = FindingID(.sshd, "files")
    package static let sshdMatchAdministrators = FindingID(.sshd, "match-administrators")
    package static let sshdPerson = FindingID(.sshd, "person")
    package static let sshdRunning = FindingID(.sshd, "running")
    package static let stamp = FindingID(.stamp)
    package static let subids = FindingID(.subids)
    package static let subidsDirectory = FindingID(.subids, "directory")
    package static let subidsExhausted = FindingID(.subids, "exhausted")
    package static let subidsForms = FindingID(.subids, "forms")
    package static let subidsHalf = FindingID(.subids, "half")
    package static let subidsMissing = FindingID(.subids, "missing")
    package static let subidsShared = FindingID(.subids, "shared")
    package static let subidsSource = FindingID(.subids, "source")
    package static let sudoRs = FindingID(.sudoRs)
    package static let sudoRsFile = FindingID(.sudoRs, "file")
    package static let sudoRsGroup = FindingID(.sudoRs, "group")
    package static let sudoProgram = FindingID(.sudo, "program")
    package static let sudoWithheld = FindingID(.sudo, "withheld")
    package static let sudoers = FindingID(.sudoers)
    package static let sudoersAccountStage = FindingID(.sudoers, "account-stage")
    package static let sudoersByGroup = FindingID(.sudoers, "by-group")
    package static let sudoersFolder = FindingID(.sudoers, "folder")
    package static let sudoersGroupPlugin = FindingID(.sudoers, "group-plugin")
    package static let sudoersName = FindingID(.sudoers, "name")
    package static let sudoersSources = FindingID(.sudoers, "sources")
    package static let sudoersStepUp = FindingID(.sudoers, "step-up")
    package static let sudoersSyntax = FindingID(.sudoers, "syntax")
    package static let units = FindingID(.units)
}

extension FindingID {
    /// A keyword of sshd_config, in lower case.
    package static func sshd(keyword: String) -> FindingID { FindingID(.sshd, keyword) }
    /// `stage`: the stage of a service's stack, or `libpam`, what libpam itself does with it.
    package static func pam(_ service: String, _ stage: String) -> FindingID { FindingID(.pam, "\(service).\(stage)") }
    /// A line of nsswitch.conf, and the name services beside entralogin's on it.
    package static func nss(_ database: String) -> FindingID { FindingID(.nss, database) }
    package static func neighbour(_ database: String) -> FindingID { FindingID(.neighbour, database) }
    /// One of nscd's caches.
    package static func nscd(_ database: String) -> FindingID { FindingID(.nscd, database) }
    /// `kind`: `user` or `group`.
    package static func ids(of kind: String) -> FindingID { FindingID(.ids, kind) }
    package static func names(of kind: String) -> FindingID { FindingID(.names, kind) }
    /// A systemd unit, and a system user.
    package static func unit(_ unit: String) -> FindingID { FindingID(.units, unit) }
    package static func user(_ user: String) -> FindingID { FindingID(.user, user) }
    /// One of the daemon's warnings, by its id in `status`.
    package static func daemon(warning: String) -> FindingID { FindingID(.daemon, warning) }
    package static func daemon(checker: String) -> FindingID { FindingID(.daemon, "checker.\(checker)") }
}
