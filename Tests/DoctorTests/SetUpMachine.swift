// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import WiredMachine

@testable import Doctor
@testable import Integration

/// A machine that is set up, and the settings with which `doctor` and `explain` check it. A row of `RemedyTests` spoils
/// and repairs it. The properties of `machine` can be used as if they were its own.
@dynamicMemberLookup
struct SetUpMachine: Sendable {
    var machine = WiredMachine()
    /// `Domains=`.
    var domains: [String] = []
    /// The tenant that the metadata service reports.
    var tenant = "t"
    var administratorsGroup = "entra_admins"
    /// The shell of new accounts.
    var shell = "/bin/bash"
    var numbers = PosixID.userRange
    /// The PAM services in which sign-in with a code is on, and its time limit in seconds.
    var codeServices: [String] = []
    var codeLimit: Int64 = 300
    /// `SubordinateIDs=` and `SubordinateIDRange=`.
    var givesSubordinateIDs = false
    var subordinateNumbers: ClosedRange<UInt32>?
    /// `file:line` of settings that hold a password.
    var secrets: [String] = []
    var overrides: [OverriddenAccounts] = []

    /// The account that `explain` is asked about.
    static let alice = Explanation.Account(
        name: "alice@contoso.com",
        uid: 1_999_259_362,
        home: "/home/a",
        shell: "/bin/bash",
        isEnrolled: true
    )

    subscript<Part>(dynamicMember part: WritableKeyPath<WiredMachine, Part>) -> Part {
        get { machine[keyPath: part] }
        set { machine[keyPath: part] = newValue }
    }

    /// The findings as doctor gathers them, and then what explain finds about alice.
    var findings: [Finding] {
        var machine = machine
        machine.programs["/usr/bin/id -Gn"] = ProgramResult(status: 0, output: "entra_users alice@contoso.com\n")
        let verdict = StackCheck(on: machine, numbers: numbers, administratorsGroup: administratorsGroup).run()
        let around = check(on: machine).run() + WritableFilesRule(verdict.restsOn).evaluate(machine)
        let accounts = EnrolledAccountsRule(on: machine, domains: domains, homeTemplate: "/home/%n")
        let daemons = accounts.evaluate() + accounts.evaluate(tenant: tenant)
        return [IntegrationOff.finding(machine)].compactMap(\.self) + verdict.findings + around + daemons
            + SettingsRule(secrets: secrets).evaluate(machine)
            + PersonCheck(on: machine, usersGroup: "entra_users").run(SetUpMachine.alice)
    }

    private func check(on machine: WiredMachine) -> MachineCheck {
        MachineCheck(
            on: machine,
            domain: "contoso.com",
            usersGroup: "entra_users",
            administratorsGroup: administratorsGroup,
            deviceServices: codeServices,
            deviceLimit: codeLimit,
            numbers: numbers,
            sudoers: SudoersReview(
                machine,
                administratorsGroup: administratorsGroup,
                mappedGroups: ["developers_entra"]
            ),
            newAccounts: MachineCheck.NewAccounts(
                shell: shell,
                shellPlace: nil,
                homeTemplate: "/home/%n",
                overrides: overrides
            ),
            domains: domains,
            givesSubordinateIDs: givesSubordinateIDs,
            subordinateNumbers: subordinateNumbers
        )
    }
}
