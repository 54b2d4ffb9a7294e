// SPDX-License-Identifier: Apache-2.0

internal import Wire

/// Accounts, as text.
struct UsersText: Sendable {
    private static let column = 14
    let style: Style
    /// Seconds since 1970.
    let now: Int64

    /// One line for each account.
    func list(_ users: [UserReport]) -> [String] {
        guard !users.isEmpty else { return ["Nobody has signed in yet."] }
        let rows = users.map { [shown($0), String($0.uid), state(of: $0)] }
        return Text.list(["NAME", "UID", "STATE"], rows, style)
    }

    private func shown(_ user: UserReport) -> String {
        user.shortName.map { "\($0) (\(user.name))" } ?? user.name
    }

    private func state(of user: UserReport) -> String {
        if user.retiredAt != nil { return "retired" }
        if let refusal = user.refusal { return "refused: \(refusal)" }
        if let rest = user.administratorForSeconds { return "administrator for \(Text.duration(rest))" }
        if let decision = user.lastDecision, let age = user.lastDecisionAgeSeconds {
            return "\(decision), \(Text.duration(age)) ago"
        }
        if let addedAt = user.addedAt, user.lastSignInAt == nil { return "added \(day(addedAt))" }
        return "signed in \(day(user.lastSignInAt ?? user.enrolledAt))"
    }

    private func day(_ seconds: Int64) -> String { String(Text.date(seconds).prefix(10)) }

    /// Everything about one account.
    func card(_ user: UserReport) -> [String] {
        var facts: [(String, String?)] = [
            ("name", user.name), ("short name", user.shortName ?? user.shortNameObstacle.map { "none: \($0)" }),
            ("display name", user.displayName.isEmpty ? nil : user.displayName),
            ("uid and gid", String(user.uid)), ("home", user.home), ("shell", user.shell),
            ("containers", user.subordinateIDs.map { "subordinate ids \($0)" }),
            ("object id", user.objectID), ("tenant", user.tenantID),
            (user.addedAt == nil ? "enrolled" : "added by root", Text.date(user.enrolledAt)),
            ("last sign-in", user.lastSignInAt.map(Text.date)),
            ("retired", user.retiredAt.map(Text.date)), ("locked", user.lockedAt.map(Text.date)),
        ]
        if let names = user.formerNames, !names.isEmpty {
            facts.append(("former names", names.joined(separator: ", ")))
        }
        if let rest = user.administratorForSeconds { facts.append(("administrator", "for \(Text.duration(rest))")) }
        if let decision = user.lastDecision, let age = user.lastDecisionAgeSeconds {
            facts.append(("last decision", "\(decision), \(Text.duration(age)) ago"))
        }
        if let refusal = user.refusal {
            facts.append(("refused", [refusal, user.refusalDetail].compactMap(\.self).joined(separator: ": ")))
        }
        return facts.flatMap { label, text in text.map { labelled(label, $0) } ?? [] }
    }

    /// What `users add` did, or found.
    func added(_ user: AddedUserReport, groups: [String]) -> [String] {
        let what = user.isNew ? "added" : "there already"
        let lines = Text.wrap(
            """
            \(user.name) is \(what)\(user.shortName.map { ", called \($0) here" } ?? ""): uid \(user.uid), home \(user.home), shell \(user.shell). It signs in with a certificate of \
            object id \(user.objectID) and a login role on this machine.
            """,
            width: Style.width
        )
        guard !groups.isEmpty else { return lines }
        return lines
            + Text.wrap("Member of \(groups.joined(separator: ", ")) from the next session on.", width: Style.width)
    }

    func retired(_ user: UserReport) -> String {
        Text.wrap(
            """
            \(user.name) is retired: nobody signs in as it, and nobody else gets its name, number \(user.uid) or home. \
            Its files are left alone; its sessions and processes end. If the same person comes back: \
            entraloginctl users rebind \(user.name) --object-id \(user.objectID)
            """,
            width: Style.width
        ).joined(separator: "\n")
    }

    /// What `rebind` would do, and how to confirm it.
    func proposal(_ user: UserReport, _ objectID: String) -> [String] {
        let isSame = user.objectID == objectID
        let command = "entraloginctl users rebind \(user.name) --object-id \(objectID) --same-person"
        var lines = [style.paint("Nothing was changed yet.", .strong), ""]
        lines += labelled("account", "\(user.name), uid \(user.uid), home \(user.home)")
        lines += labelled("person now", "object id \(user.objectID), since \(day(user.enrolledAt))")
        if let retiredAt = user.retiredAt { lines += labelled("retired", day(retiredAt)) }
        lines += labelled(isSame ? "comes back" : "would be", "object id \(objectID)")
        lines.append("")
        lines += Text.wrap(
            """
            The new object gets everything of this account: its files, its cron jobs, and what sudoers and \
            other files on this machine allow that name. Make sure in Entra that it is the same human being, deleted \
            there and made anew. If so:
            """,
            width: Style.width
        )
        lines += ["", "  \(command)", ""]
        lines += Text.wrap(
            "If the name was given to another person: do not. That person needs another name on this machine.",
            width: Style.width
        )
        return lines
    }

    private func labelled(_ label: String, _ text: String) -> [String] {
        Text.labelled(label, column: UsersText.column, text)
    }
}
