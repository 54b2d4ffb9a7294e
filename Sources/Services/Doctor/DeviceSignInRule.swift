// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates the services in which sign-in with a code is switched on, but for sudo (`StepUpRule`): that entralogin's auth line
/// is there, ends the stack where it refuses, and asks before a password does; and that the account stage, which looks at the
/// role again, is entralogin's as well.
///
/// The stamp does not rest on it: the auth stage itself looks at role and identity, and none of it concerns sshd.
struct DeviceSignInRule: Sendable {
    let services: [String]
    /// Seconds that a sign-in may take.
    let limit: Int64

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
            findings += PAMRule.account(service).evaluate(machine).findings.filter { $0.severity > .good }
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
        guard let index = stack.entries.firstIndex(where: { $0.module == PAMStack.ourModule }) else {
            let what = "no code is offered in \(service): pam_entralogin.so is not in its auth stack"
            return finding(service, .warning, what, stack.oursInSubstack.first ?? stack.files.first)
        }
        let ours = stack.entries[index]
        guard DeviceSignInRule.isOurs(ours.control) else {
            return finding(service, .error, "the control of pam_entralogin.so lets a refused person go on", ours.place)
        }
        if ours.control.action(on: "module_unknown") != .ignore {
            let what =
                "without the file pam_entralogin.so nobody could use \(service), local accounts and root included"
            return finding(service, .warning, what, ours.place)
        }
        if let early = stack.entries[..<index].first(where: { DeviceSignInRule.passwords.contains($0.module) }) {
            return finding(
                service,
                .warning,
                "\(early.module) asks for a password before a code is offered",
                early.place
            )
        }
        return Finding(id(service), .good, "\(service) offers sign-in with a code", place: ours.place)
    }

    /// A grant, and with it sudo, begins with the session; nobody gets in without one who should not.
    private func session(_ service: String, _ machine: any HostView) -> [Finding] {
        let rule = PAMRule(service: service, type: "session", mustFollow: ["pam_mkhomedir.so"])
        return rule.evaluate(machine).findings.filter { $0.severity > .good }
    }

    /// What login(1) allows for everything until the shell.
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

    /// Yes ends the stack, or goes on; another account is as if the line were not there; everything else ends it
    /// refused.
    static func isOurs(_ control: PAMControl) -> Bool {
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
            needed: DeviceSignInRule.line,
            remedy:
                "write the line in /etc/pam.d/\(service), before what asks for passwords; or take \(service) out of Services="
        )
    }
}
