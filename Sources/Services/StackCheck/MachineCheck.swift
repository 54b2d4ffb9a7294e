// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// What around us keeps people out or spoils something, and is no part of the wiring: nobody gets in by it who should not.
/// So the stack stamp does not rest on it, whatever its findings.
package struct MachineCheck: Sendable {
    private let machine: any SurroundingsView
    private let domain: String
    private let usersGroup: String
    private let administratorsGroup: String
    private let sudoers: SudoersReview?
    private let administrator: String?
    private let devices: DeviceSignInRule
    private let numbers: NumbersRule

    /// `domain`: one of those that may sign in; the groups as the settings call them; the services in which sign-in with a code
    /// is on, and how many seconds it may take; where numbers of new accounts are drawn; an account that is an administrator now; what the integration
    /// check found in sudo's files.
    package init(
        on machine: any SurroundingsView,
        domain: String,
        usersGroup: String,
        administratorsGroup: String,
        deviceServices: [String] = [],
        deviceLimit: Int64 = 0,
        numbers: ClosedRange<UInt32> = PosixID.userRange,
        administrator: String? = nil,
        sudoers: SudoersReview? = nil
    ) {
        self.sudoers = sudoers
        self.administrator = administrator
        self.numbers = NumbersRule(numbers: numbers)
        devices = DeviceSignInRule(services: deviceServices, limit: deviceLimit)
        self.machine = machine
        self.domain = domain
        self.usersGroup = usersGroup
        self.administratorsGroup = administratorsGroup
    }

    package func run() -> [Finding] {
        sshd() + NeighbourRule().judge(machine) + NameCacheRule().judge(machine) + devices.judge(machine)
            + (devices.services.contains("sudo")
                ? StepUpRule(administrator: administrator).judge(machine) : [])
            + SudoRule(review: sudoers ?? SudoersReview(machine, administratorsGroup: administratorsGroup)).judge(
                machine
            )
            + SELinuxRule().judge(machine) + OldExtensionRule().judge(machine) + LocalIDsRule().judge(machine)
            + numbers.asked(machine)
            + AdoptionRule().judge(machine)
            + StateFilesRule().judge(machine) + [AuthorityCopyRule().judge(machine)]
            + SpaceRule().judge(machine) + UnitsRule().judge(machine)
    }

    private func sshd() -> [Finding] {
        guard let program = StackCheck.sshdPrograms.first(where: { machine.exists($0) }) else { return [] }
        let version = OpenSSHVersionRule().judge(machine.run(program, ["-V"]))
        let probe = "entralogin-probe@\(domain)"
        let result = machine.run(program, ["-T", "-C", StackCheck.connection(of: probe)])
        // A configuration that sshd refuses is named with the wiring.
        guard result.status == 0 else { return [version] }
        let rule = AdmittanceRule(usersGroup: usersGroup, administratorsGroup: administratorsGroup, probe: probe)
        return [version] + rule.judge(SSHDConfiguration(result.output))
    }
}
