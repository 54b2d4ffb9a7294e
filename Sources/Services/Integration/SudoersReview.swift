// SPDX-License-Identifier: Apache-2.0

/// What sudo's files, its other sources and its kind mean for administrators: checked once, for the integration check
/// and for `doctor`. Each error is a line of the machine's owner by which what a role gives could outlive the role.
package struct SudoersReview: Sendable {
    package let findings: [Finding]
    /// While it is set, sign-in goes on, but administrators are users, without sudo and the administrators' group.
    let withheld: Finding?

    /// `wasWithheld`: what an earlier check found; it stays so where sudo cannot be asked, as in the service's sandbox.
    /// `mappedGroups`: the names of `[Groups]`.
    package init(
        _ machine: any HostView,
        administratorsGroup: String,
        mappedGroups: [String] = [],
        wasWithheld: Bool? = nil
    ) {
        guard machine.exists(LocalAccountsRule.sudoers) else {
            findings = []
            withheld = nil
            return
        }
        let sources = SudoersSourcesRule().look(machine)
        let findings =
            SudoersFilesRule(administratorsGroup: administratorsGroup, mappedGroups: mappedGroups).evaluate(machine)
            + sources.findings
            + SudoRsRule().evaluate(machine)
        self.findings = findings
        let unseen = sources.isUnseen && wasWithheld ?? true ? sources.findings.first : nil
        withheld = (findings.first { $0.severity == .error } ?? unseen).map { cause in
            Finding(
                .sudoWithheld,
                .warning,
                "administrators sign in as users, without sudo: \(cause.found)",
                place: cause.place,
                needed: cause.needed,
                remedy: cause.remedy
            )
        }
    }
}
