// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// Evaluates one stack of one service: entralogin's line exists, has the right form, cannot be skipped by an earlier
/// line, and comes before the modules that must not run for a refused user.
package struct PAMRule: Sendable {
    let service: String
    let type: String
    /// Modules that must come after entralogin's line.
    let mustFollow: Set<String>
    /// entralogin's line has the argument `short_names` (`ShortNames=`), or has none.
    package var hasShortNames = false

    /// `type`: as in PAM's files; `mustFollow`: modules that must come after entralogin's line.
    package init(service: String, type: String, mustFollow: Set<String>) {
        self.service = service
        self.type = type
        self.mustFollow = mustFollow
    }

    /// entralogin's account stage comes before pam_unix, which accepts every user who signed in with a key.
    package static func account(_ service: String) -> PAMRule {
        PAMRule(service: service, type: "account", mustFollow: ["pam_unix.so", "pam_sss.so", "pam_localuser.so"])
    }

    /// pam_env reads a file of the user's that can forge sshd's variables; the others make homes and sessions, which a
    /// refused user must not get.
    static func session(_ service: String) -> PAMRule {
        PAMRule(
            service: service,
            type: "session",
            mustFollow: ["pam_env.so", "pam_mkhomedir.so", "pam_oddjob_mkhomedir.so", "pam_systemd.so"]
        )
    }

    /// entralogin's line, and after it the lines of packaging/pam/lines that run only if entralogin's module could not
    /// be loaded. They refuse Entra accounts, by number and by name, as the target user, as the requester and as the
    /// user who runs the program.
    package static func lines(_ type: String) -> [String] {
        let guid = SSHDOrderRule.guids
        let ids = "uid < \(PosixID.userRange.lowerBound)"
        let user = "user !~ *@*"
        let userGUID = "user !~ \(guid)"
        let account = [
            "requisite pam_succeed_if.so quiet \(ids) user notingroup entra_admins \(user) ruser !~ *@* \(userGUID) ruser !~ \(guid)",
            "requisite pam_succeed_if.so quiet use_uid \(ids) \(user) \(userGUID)",
        ]
        let guarding = type == "account" ? account : ["requisite pam_succeed_if.so quiet \(ids) \(user) \(userGUID)"]
        let jump = "success=\(guarding.count) ignore=\(guarding.count)"
        return ["[\(jump) module_unknown=ignore default=die] pam_entralogin.so"] + guarding
    }

    /// The findings, and the files that they depend on.
    package func evaluate(_ machine: any HostView) -> (findings: [Finding], files: [String]) {
        do throws(PAMStackError) {
            let stack = try PAMStack(service: service, type: type, on: machine)
            return (evaluate(stack), stack.files)
        } catch {
            return (
                [finding(.error, "the \(type) stack of \(service) cannot be read: \(error.problem)", error.place)], []
            )
        }
    }

    func evaluate(_ stack: PAMStack) -> [Finding] {
        guard let index = stack.entries.firstIndex(where: { $0.module == PAMStack.entraloginModule }) else {
            if let place = stack.modulesInSubstacks.first {
                return [finding(.error, "pam_entralogin.so stands in a substack, where its no ends only that", place)]
            }
            return [finding(.error, "pam_entralogin.so is not in the \(type) stack of \(service)", stack.files.first)]
        }
        let entry = stack.entries[index]
        guard entry.control.isSafe else {
            return [finding(.error, "the control of pam_entralogin.so lets a refused person go on", entry.place)]
        }
        guard entry.arguments == arguments else {
            let what =
                hasShortNames
                ? "pam_entralogin.so lacks the argument short_names: a person with a short name passes by it"
                : "pam_entralogin.so has arguments (\(entry.arguments.joined(separator: " "))), and is to have none"
            return [finding(.error, what, entry.place)]
        }
        if let culprit = stack.passingOver(index) {
            let what = "\(culprit.module) can end the stack or jump over pam_entralogin.so"
            return [finding(.error, what, culprit.place)]
        }
        if let early = stack.entries[..<index].first(where: { mustFollow.contains($0.module) }) {
            return [finding(.error, "\(early.module) runs before pam_entralogin.so", early.place)]
        }
        if entry.control.locksOutWithoutModule {
            let what = "without the file pam_entralogin.so nobody could sign in, local accounts and root included"
            return [finding(.warning, what, entry.place)]
        }
        if let finding = evaluateGuard(of: entry, behind: stack.entries[(index + 1)...]) { return [finding] }
        return [Finding(id, .good, "\(service): pam_entralogin decides first in the \(type) stage", place: entry.place)]
    }

    /// entralogin's line must jump over the lines that refuse Entra accounts if the module could not be loaded, and
    /// over no others.
    private func evaluateGuard(of line: PAMEntry, behind rest: ArraySlice<PAMEntry>) -> Finding? {
        let expected = PAMRule.lines(type).dropFirst().map { String($0) }
        let count = line.control.guardedEntries ?? 0
        guard count > 0 else {
            let what =
                "where pam_entralogin.so cannot be loaded (a limit of the caller's suffices), Entra accounts pass"
            return finding(.warning, what, line.place)
        }
        let written = rest.prefix(count)
        let isExpected =
            written.count == count && expected.count == count
            && zip(written, expected).allSatisfy { entry, text in
                let words = text.split(separator: " ").map { String($0) }
                return entry.control == PAMControl("requisite") && entry.module == words[1]
                    && PAMRule.withoutGroup(entry.arguments) == PAMRule.withoutGroup(Array(words.dropFirst(2)))
            }
        guard isExpected else {
            return finding(.error, "pam_entralogin.so jumps over lines that are not its own", line.place)
        }
        guard type == "account", !written.contains(where: { $0.arguments.contains("notingroup") }) else { return nil }
        let what = "where pam_entralogin.so cannot be loaded, members of another name service's entra_admins pass"
        return finding(.warning, what, line.place)
    }

    /// The words without the condition on the administrators' group: an earlier version had none, and the group may
    /// have another name.
    private static func withoutGroup(_ words: [String]) -> [String] {
        guard let index = words.firstIndex(of: "notingroup"), index > 0, index + 1 < words.count else { return words }
        return Array(words[..<(index - 1)] + words[(index + 2)...])
    }

    private var arguments: [String] { hasShortNames ? ["short_names"] : [] }

    private var id: FindingID { .pam(service, type) }

    private var needed: String {
        PAMRule.lines(type).map { line in
            let isModule = line.hasSuffix(PAMStack.entraloginModule)
            return "\(type) \(([line] + (isModule ? arguments : [])).joined(separator: " "))"
        }.joined(separator: "; ")
    }

    private func finding(_ severity: Severity, _ found: String, _ place: String?) -> Finding {
        let before = mustFollow.sorted().filter { $0 != "pam_localuser.so" && $0 != "pam_sss.so" }
        return Finding(
            id,
            severity,
            found,
            place: place,
            needed:
                "\(needed), before \(before.joined(separator: ", "))",
            remedy: "/usr/libexec/entralogin/configure --enable, or write the line there by hand"
        )
    }
}

extension PAMStack {
    /// The first entry before `index` that can end the stack with success or jump beyond `index`, so that the entry
    /// there does not run.
    package func passingOver(_ index: Int) -> PAMEntry? {
        for (position, entry) in entries[..<index].enumerated() {
            for action in entry.control.possibleActions {
                switch action {
                case .done: return entry
                case .jump(let count) where position + count + 1 > index: return entry
                // `die` ends the stack with a refusal: it lets no user in.
                case .jump, .ignore, .bad, .die, .ok, .reset: continue
                }
            }
        }
        return nil
    }
}
