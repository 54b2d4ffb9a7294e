// SPDX-License-Identifier: Apache-2.0

/// Whether what an administrator's role gives could outlive the role here, by lines of sudoers that the machine's owner wrote.
/// Sign-in goes on; but while it is so, administrators sign in as users, without sudo and without the administrators' group.
struct WithheldSudoRule: Sendable {
    func judge(_ machine: any MachineView) -> [Finding] {
        let causes = SudoersFilesRule(administratorsGroup: "").judge(machine) + SudoRsRule().judge(machine)
        guard machine.exists(LocalAccountsRule.sudoers), let cause = causes.first(where: { $0.severity == .error })
        else { return [] }
        return [
            Finding(
                "sudo.withheld",
                .warning,
                "administrators sign in as users, without sudo: \(cause.found)",
                place: cause.place,
                needed: cause.needed,
                remedy: cause.remedy
            )
        ]
    }
}
