// SPDX-License-Identifier: Apache-2.0

internal import Migration

/// The plan as text: the contradictions, or the steps.
struct MigrationText: Sendable {
    let style: Style

    func lines(_ plan: MigrationPlan) -> [String] {
        var lines: [String] = []
        if !plan.people.isEmpty {
            let rows = plan.people.map { [$0.name, String($0.oldUID), $0.uid.map(String.init) ?? "-", $0.home] }
            lines += Text.list(["NAME", "OLD UID", "UID", "HOME"], rows, style) + [""]
        }
        if !plan.isComparedWithOurs {
            lines += Text.wrap(
                "entralogind does not answer: whether anybody has signed in with entralogin before is not known.",
                width: Style.width
            )
            lines.append("")
        }
        guard plan.isReady else { return lines + conflicts(plan) }
        for (index, step) in steps(plan).enumerated() {
            lines += Text.labelled("\(index + 1).", column: 4, step.text)
            lines += step.details.map { "      \(printable($0))" }
        }
        return lines + ["", style.paint("Nothing was changed.", .strong)]
    }

    private func conflicts(_ plan: MigrationPlan) -> [String] {
        let conflicts = plan.conflicts.flatMap { conflict in
            Text.wrap("\(conflict.place): \(conflict.text)", width: Style.width)
                + Text.labelled("  do", column: 6, conflict.remedy)
        }
        return conflicts + ["", style.paint("Do not begin: fix these first.", .bad)]
    }

    private struct Step {
        var text: String
        var details: [String] = []
    }

    private func steps(_ plan: MigrationPlan) -> [Step] {
        let command = "entraloginctl migrate --from \(plan.from.rawValue)"
        return [
            Step(text: "Keep a local administrator with a key of their own in an open session until the end.")
        ] + sudo(plan) + [
            Step(
                text:
                    """
                    Swap the integration: these lines go, entralogin's come. Where that fails, all is as before; local accounts \
                    never notice. Back: the same with --undo.
                    """,
                details: ["\(command) --apply"] + plan.oldLines
            )
        ] + accounts(plan) + changedNumbers(plan) + [
            Step(
                text:
                    """
                    Remove the VM extension AADSSHLoginForLinux and the package \(plan.from.rawValue), then \
                    /etc/aadpasswd. Until then the extension may put its lines back: doctor shows it.
                    """
            )
        ]
    }

    private func accounts(_ plan: MigrationPlan) -> [Step] {
        let lines = plan.people.flatMap { [$0.passwdLine, $0.groupLine].compactMap(\.self) }
        guard !lines.isEmpty else { return [] }
        let text =
            """
            The same command keeps these people's numbers, homes and shells. It adds to /etc/passwd and /etc/group, with the \
            object ids in /etc/entralogin/adopted:
            """
        return [Step(text: text, details: lines)]
    }

    private func changedNumbers(_ plan: MigrationPlan) -> [Step] {
        let people = plan.people.filter { !$0.keepsNumber }
        guard !people.isEmpty else { return [] }
        let text =
            """
            These people have signed in with entralogin already and keep the number that they got. With each of them signed out, run as \
            root what it says here; the last lines look for files elsewhere, which keep the old number:
            """
        let searches = people.map { "find / -xdev -uid \($0.oldUID)" }
        return [Step(text: text, details: people.flatMap(\.commands) + searches)]
    }

    private func sudo(_ plan: MigrationPlan) -> [Step] {
        guard !plan.sudoRules.isEmpty else { return [] }
        let group = MigrationSurvey.administrators
        let command = plan.hasLocalAdministratorsGroup ? ["groupdel \(group)"] : []
        let text =
            """
            These rules of sudo name the group \(group). To keep them, give entralogin's administrators' group that name \
            (section [Accounts] of entralogin.conf)\(command.isEmpty ? "" : "; the local one would win, so it goes"):
            """
        return [Step(text: text, details: plan.sudoRules + command + ["AdministratorsGroup=\(group)"])]
    }
}
