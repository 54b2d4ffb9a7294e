// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates the services for which sign-in with a code is on, except sudo (`StepUpRule`): entralogin's auth line must
/// exist, end the stack if it refuses, and come before any password prompt; and entralogin must be in the account
/// stage, too, which checks the role again.
///
/// The integration check leaves it out: the auth stage itself checks role and identity, and none of it concerns sshd.
struct DeviceSignInRule: Sendable {
    let services: [String]
    /// The longest time for a sign-in, in seconds.
    let limit: Int64
    /// Lines need the argument `short_names`.
    var hasShortNames = false

    static let line = "auth [success=done ignore=ignore module_unknown=ignore default=die] pam_entralogin.so"
    private static let passwords: Set<String> = [
        "pam_unix.so", "pam_sss.so", "pam_ldap.so", "pam_winbind.so", "pam_deny.so",
    ]
    private static let loginDefinitions = "/etc/login.defs"

    func evaluate(_ machine: any HostView) -> [Finding] {
        var findings: [Finding] = []
        let present = services.filter { service in
            service != "sudo" && PAMStack.folders.contains { machine.exists("\($0)/\(service)") }
        }
        for service in present {
            findings.append(evaluateAuthentication(service, machine))
            var rule = PAMRule.account(service)
            rule.hasShortNames = hasShortNames
            findings += rule.evaluate(machine).findings.filter { $0.severity > .good }
            findings += session(service, machine)
        }
        if services.contains("login"), let early = earlyEnd(machine) { findings.append(early) }
        return findings
    }

    private func evaluateAuthentication(_ service: String, _ machine: any HostView) -> Finding {
        let stack: PAMStack
        do throws(PAMStackError) { stack = try PAMStack(service: service, type: "auth", on: machine) } catch {
            return finding(
                service,
                .error,
                "the auth stack of \(service) cannot be read: \(error.problem)",
                error.place
            )
        }
        guard let index = stack.entries.firstIndex(where: { $0.module == PAMStack.entraloginModule }) else {
            let what = "no code is offered in \(service): pam_entralogin.so is not in its auth stack"
            return finding(service, .warning, what, stack.modulesInSubstacks.first ?? stack.files.first)
        }
        let entry = stack.entries[index]
        guard DeviceSignInRule.isSafe(entry.control) else {
            return finding(service, .error, "the control of pam_entralogin.so lets a refused person go on", entry.place)
        }
        if entry.control.action(on: "module_unknown") != .ignore {
            let what =
                "without the file pam_entralogin.so nobody could use \(service), local accounts and root included"
            return finding(service, .warning, what, entry.place)
        }
        if hasShortNames, entry.arguments != ["short_names"] {
            let what =
                "no code is offered to short names in \(service): pam_entralogin.so lacks the argument short_names"
            return finding(service, .warning, what, entry.place)
        }
        if let early = stack.entries[..<index].first(where: { DeviceSignInRule.passwords.contains($0.module) }) {
            return finding(
                service,
                .warning,
                "\(early.module) asks for a password before a code is offered",
                early.place
            )
        }
        return Finding(id(service), .good, "\(service) offers sign-in with a code", place: entry.place)
    }

    /// The session stage gives the grant, and with it sudo. If it is missing, no user gets in who should not.
    private func session(_ service: String, _ machine: any HostView) -> [Finding] {
        var rule = PAMRule(service: service, type: "session", mustFollow: ["pam_mkhomedir.so"])
        rule.hasShortNames = hasShortNames
        return rule.evaluate(machine).findings.filter { $0.severity > .good }
    }

    /// Whether login(1) times out before the user can type the code.
    private func earlyEnd(_ machine: any HostView) -> Finding? {
        guard let text = try? machine.text(of: DeviceSignInRule.loginDefinitions) else { return nil }
        let values = text.lines.compactMap { line -> Int64? in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.count == 2 && words[0] == "LOGIN_TIMEOUT" ? Int64(words[1]) : nil
        }
        guard let seconds = values.last, seconds > 0, seconds < limit else { return nil }
        return Finding(
            .pamLoginTimeout,
            .warning,
            "login ends after \(seconds) s, while a code may be typed for \(limit) s",
            place: DeviceSignInRule.loginDefinitions,
            needed: "LOGIN_TIMEOUT \(limit)",
            remedy: "set it there, or a shorter Limit= in [DeviceSignIn]"
        )
    }

    /// Success ends the stack or goes on; for accounts that are not Entra's the line is ignored; any other answer
    /// refuses at once.
    static func isSafe(_ control: PAMControl) -> Bool {
        guard [.done, .ok].contains(control.action(on: "success")), control.action(on: "ignore") == .ignore,
            control.fallback == .die
        else { return false }
        return control.actions.allSatisfy { value, action in
            ["success", "ignore"].contains(value) || action == .die || value == "module_unknown" && action == .ignore
        }
    }

    private func id(_ service: String) -> FindingID { .pam(service, "auth") }

    private func finding(_ service: String, _ severity: Severity, _ found: String, _ place: String?) -> Finding {
        Finding(
            id(service),
            severity,
            found,
            place: place,
            needed: DeviceSignInRule.line + (hasShortNames ? " short_names" : ""),
            remedy:
                "write the line in /etc/pam.d/\(service), before what asks for passwords; or take \(service) out of Services="
        )
    }
}
