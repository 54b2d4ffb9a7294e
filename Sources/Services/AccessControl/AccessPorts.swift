// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
package import OpenSSHCertificates

/// The ports for groups, where `[Groups]` has lines.
package struct GroupPorts: Sendable {
    package var checker: any MembershipChecker
    package var registry: any MembershipRegistry

    package init(checker: any MembershipChecker, registry: any MembershipRegistry) {
        self.checker = checker
        self.registry = registry
    }
}

/// What the access part needs from outside: the ports of Authorization.
package struct AccessPorts: Sendable {
    package var time: any TimeSource
    package var random: any RandomSource
    package var starter: any TaskStarter
    package var log: any RecordLog
    package var machines: any MachineSource
    package var checker: any AccessChecker
    /// Nil: Entra is not asked whether an account is enabled.
    package var accountChecker: (any AccountChecker)?
    /// Nil: no Entra group is a Unix group.
    package var groups: GroupPorts?
    package var accounts: any AccountRegistry
    package var grants: any GrantRegistry
    package var signIns: any SignInRegistry
    package var processes: any ProcessWatcher
    package var stamp: any StackStamp
    package var certificates: CertificateVerifier
    package var revocation: any RevocationSource
    /// Nil: no sign-in with a code.
    package var devices: (any DeviceAuthority)?
    /// In the configured order.
    package var keySources: [any AuthorityKeySource]
    /// What `trusted_user_ca_keys` holds at the start; nil where it cannot be read.
    package var persistedKeys: [UInt8]?
    /// The id of this boot: that file counts time within a boot. Empty where it is not known.
    package var bootID: String
    /// Replaces `trusted_user_ca_keys` as a whole, and returns when it is on disk.
    package var publishKeys: @Sendable ([UInt8]) async throws -> Void
    package var ender: any SessionEnder
    package var keeper: any SessionKeeper
    /// Called when Azure has answered for the first time, or allows an account whose user manager was refused. Returns
    /// at once.
    package var announceAnswer: @Sendable () -> Void
    /// The keys of sshd's own copy of that file, which root keeps up to date; nil where this process may not read it.
    /// Without this port, sshd reads the file itself.
    package var sshdKeys: (@Sendable () -> [PublicKey]?)?

    package init(
        time: any TimeSource,
        random: any RandomSource,
        starter: any TaskStarter,
        log: any RecordLog,
        machines: any MachineSource,
        checker: any AccessChecker,
        accountChecker: (any AccountChecker)? = nil,
        groups: GroupPorts? = nil,
        accounts: any AccountRegistry,
        grants: any GrantRegistry,
        signIns: any SignInRegistry,
        processes: any ProcessWatcher,
        stamp: any StackStamp,
        certificates: CertificateVerifier,
        revocation: any RevocationSource,
        devices: (any DeviceAuthority)? = nil,
        keySources: [any AuthorityKeySource],
        persistedKeys: [UInt8]?,
        bootID: String = "",
        publishKeys: @escaping @Sendable ([UInt8]) async throws -> Void,
        ender: any SessionEnder = NoSessionEnder(),
        keeper: any SessionKeeper = NoSessionKeeper(),
        announceAnswer: @escaping @Sendable () -> Void = {},
        sshdKeys: (@Sendable () -> [PublicKey]?)? = nil
    ) {
        self.time = time
        self.random = random
        self.starter = starter
        self.log = log
        self.machines = machines
        self.checker = checker
        self.accountChecker = accountChecker
        self.groups = groups
        self.accounts = accounts
        self.grants = grants
        self.signIns = signIns
        self.processes = processes
        self.stamp = stamp
        self.certificates = certificates
        self.revocation = revocation
        self.devices = devices
        self.keySources = keySources
        self.persistedKeys = persistedKeys
        self.bootID = bootID
        self.publishKeys = publishKeys
        self.ender = ender
        self.keeper = keeper
        self.announceAnswer = announceAnswer
        self.sshdKeys = sshdKeys
    }
}
