// SPDX-License-Identifier: Apache-2.0

internal import Identity
package import Integration

/// Checks what keeps users out or causes faults around entralogin, but is no part of the integration: none of it lets
/// in a user who should stay out. So the integration check does not depend on its findings.
package struct MachineCheck: Sendable {
    private let machine: any EnvironmentView
    private let domain: String
    private let usersGroup: String
    private let administratorsGroup: String
    private let sudoers: SudoersReview?
    private let administrator: String?
    private let devices: DeviceSignInRule
    private let numbers: NumbersRule
    private let newAccounts: NewAccounts?
    private let subordinateIDs: SubordinateIDsRule?
    private let shortNameDomain: String?
    private let names: LocalNamesRule
    private let namespace: UserNamespaceRule

    /// The settings for new accounts.
    package struct NewAccounts: Hashable, Sendable {
        let shell: String
        let homeTemplate: String
        let shellPlace: String?
        let overrides: [OverriddenAccounts]

        /// `Shell=` with its `file:line`, nil for the default; `HomeTemplate=`; `[Overrides]`.
        package init(shell: String, shellPlace: String?, homeTemplate: String, overrides: [OverriddenAccounts] = []) {
            self.shell = shell
            self.shellPlace = shellPlace
            self.homeTemplate = homeTemplate
            self.overrides = overrides
        }
    }

    /// `domain`: one of those that may sign in; the groups as the settings call them; the services in which sign-in
    /// with a code is on, and how many seconds it may take; the range for new accounts; an account that is an
    /// administrator now; what the integration check found in sudo's files; the settings for new accounts, nil where
    /// they cannot be read; all domains that may sign in, none for any; whether accounts get subordinate ids, and from
    /// which range; the domain whose users have short names.
    package init(
        on machine: any EnvironmentView,
        domain: String,
        usersGroup: String,
        administratorsGroup: String,
        deviceServices: [String] = [],
        deviceLimit: Int64 = 0,
        numbers: ClosedRange<UInt32> = PosixID.userRange,
        administrator: String? = nil,
        sudoers: SudoersReview? = nil,
        newAccounts: NewAccounts? = nil,
        domains: [String] = [],
        givesSubordinateIDs: Bool = false,
        subordinateNumbers: ClosedRange<UInt32>? = nil,
        shortNameDomain: String? = nil
    ) {
        subordinateIDs =
            givesSubordinateIDs
            ? SubordinateIDsRule(numbers: subordinateNumbers, shortNameDomain: shortNameDomain) : nil
        self.sudoers = sudoers
        self.newAccounts = newAccounts
        self.administrator = administrator
        self.numbers = NumbersRule(numbers: numbers)
        names = LocalNamesRule(domains: domains)
        namespace = UserNamespaceRule(numbers: numbers)
        let hasShortNames = shortNameDomain != nil
        self.shortNameDomain = shortNameDomain
        devices = DeviceSignInRule(services: deviceServices, limit: deviceLimit, hasShortNames: hasShortNames)
        self.machine = machine
        self.domain = domain
        self.usersGroup = usersGroup
        self.administratorsGroup = administratorsGroup
    }

    package func run() -> [Finding] {
        let review = sudoers ?? SudoersReview(machine, administratorsGroup: administratorsGroup)
        let stepUp = StepUpRule(administrator: administrator, hasShortNames: devices.hasShortNames)
        // A list of lists: Swift 6.2 cannot type-check it as one sum.
        let parts: [[Finding]] = [
            sshd(),
            NeighbourRule().evaluate(machine),
            devices.evaluate(machine),
            devices.services.contains("sudo") ? stepUp.evaluate(machine) : [],
            SudoRule(review: review).evaluate(machine),
            SudoProgramRule().evaluate(machine),
            SELinuxRule().evaluate(machine),
            OldExtensionRule().evaluate(machine),
            LocalIDsRule().evaluate(machine),
            subordinateIDs?.evaluate(machine) ?? [],
            numbers.asked(machine),
            names.evaluate(machine),
            namespace.evaluate(machine),
            MappingRule().evaluate(machine),
            SudoLogRule(groups: [administratorsGroup, usersGroup]).evaluate(machine),
            TlogRule(shell: newAccounts?.shell, shellPlace: newAccounts?.shellPlace).evaluate(machine),
            [AuthorityCopyRule().evaluate(machine)],
            people(),
            common(),
        ]
        return Array(parts.joined())
    }

    /// What keeps out all users, or all new ones, whatever their names: for `explain`, which checks the rest for each
    /// user.
    package func keepingOut() -> [Finding] { common().filter { $0.keepsOut != nil } }

    /// The findings that are the same for all accounts.
    private func common() -> [Finding] {
        NameCacheRule().evaluate(machine) + HiddenProcessesRule().evaluate(machine)
            + ReadableFilesRule().evaluate(machine)
            + HelperRule().evaluate(machine) + SpaceRule().evaluate(machine) + unitsAndFiles()
    }

    /// A socket that is missing because its unit does not run, or a folder of another owner because the daemon runs as
    /// another user or number, is one fault, with the unit's remedy.
    private func unitsAndFiles() -> [Finding] {
        let units = UnitsRule().evaluate(machine)
        let areDown = units.findings.contains { $0.severity == .error }
        let files = StateFilesRule().evaluate(machine).filter { finding in
            guard areDown, finding.severity > .good, let place = finding.place else { return true }
            return !place.hasPrefix("/run/entralogin")
                && !(units.runsAsAnother && place.hasPrefix("/var/lib/entralogin"))
        }
        return files + units.findings
    }

    /// What would keep out all users, or all new users, apart from sshd's own lists.
    private func people() -> [Finding] {
        let modules =
            AccountModulesRule(machine: machine).evaluate(
                probe: "entralogin-probe@\(domain)",
                shell: newAccounts?.shell ?? "",
                usersGroup: usersGroup,
                administratorsGroup: administratorsGroup
            )
            + LimitsRule(machine: machine).evaluate(name: "entralogin-probe@\(domain)", groups: [usersGroup])
        guard let newAccounts else { return NologinRule().evaluate(machine) + modules }
        return NologinRule().evaluate(machine) + modules
            + [ShellRule.evaluate(newAccounts.shell, place: newAccounts.shellPlace, machine)]
            + HomesRule(template: newAccounts.homeTemplate).evaluate(machine)
            + OverridesRule(overrides: newAccounts.overrides).evaluate(machine)
    }

    private func sshd() -> [Finding] {
        guard let program = StackCheck.sshdPrograms.first(where: { machine.exists($0) }) else { return [] }
        let version = OpenSSHVersionRule().evaluate(machine.run(program, ["-V"]))
        let probe = "entralogin-probe@\(domain)"
        let result = machine.run(program, ["-T", "-C", StackCheck.connection(of: probe)])
        // The integration check reports a configuration that sshd refuses.
        guard result.status == 0 else { return [version] }
        let lines = SSHDFiles(on: machine).lines
        let rule = AdmittanceRule(
            usersGroup: usersGroup,
            administratorsGroup: administratorsGroup,
            probe: probe,
            lines: lines
        )
        let configuration = SSHDConfiguration(result.output)
        let lists = rule.evaluate(configuration)
        let limits = SSHDLimitsRule(shell: newAccounts?.shell ?? "/bin/bash", lines: lines)
        let turnedAway =
            lists.contains { $0.severity == .error }
            ? []
            : EnrolledAccountsRule(on: machine, shortNameDomain: shortNameDomain)
                .turnedAway(by: configuration, usersGroup: usersGroup, lines)
        return [version] + lists + turnedAway + AlgorithmsRule(lines: lines).evaluate(configuration)
            + limits.evaluate(configuration, machine)
            + AdministratorsBlockRule(administratorsGroup: administratorsGroup).evaluate(lines)
    }
}
