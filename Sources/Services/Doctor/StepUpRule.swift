// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Integration

/// Evaluates sudo's step-up if it is on: PAM must ask entralogin before any other module can grant access, and sudoers
/// must let sudo ask PAM at all, about the user who runs it. A step-up that is on but does not happen is an error: the
/// administrator relies on it.
///
/// sudo itself reports the effect of sudoers (`sudo -l -U`) for an Entra administrator, if there is one now;
/// entralogin's own file is read in any case.
struct StepUpRule: Sendable {
    /// An account that is an administrator now. It is a user's: a service principal may have a rule of its own.
    let administrator: String?
    /// Lines need the argument `short_names`.
    var hasShortNames = false

    private static let joiner = "/usr/bin/setpriv"
    private static let remedy = "entraloginctl setup --apply writes sudoers anew; what other files say, visudo changes"

    func evaluate(_ machine: any HostView) -> [Finding] {
        let services = PAMServices.stepUp.filter { service in
            PAMStack.folders.contains { machine.exists("\($0)/\(service)") }
        }
        return services.map { evaluateAuthentication($0, machine) } + [evaluateSudoers(machine)].compactMap(\.self)
    }

    // MARK: PAM

    private func evaluateAuthentication(_ service: String, _ machine: any HostView) -> Finding {
        let stack: PAMStack
        do throws(PAMStackError) { stack = try PAMStack(service: service, type: "auth", on: machine) } catch {
            let what = "the auth stack of \(service) cannot be read: \(error.problem)"
            return finding(service, .error, what, error.place)
        }
        guard let index = stack.entries.firstIndex(where: { $0.module == PAMStack.entraloginModule }) else {
            let what = "\(service) asks for no code: pam_entralogin.so is not in its auth stack"
            return finding(service, .error, what, stack.modulesInSubstacks.first ?? stack.files.first)
        }
        let entry = stack.entries[index]
        guard DeviceSignInRule.isSafe(entry.control) else {
            return finding(service, .error, "the control of pam_entralogin.so lets a refused person go on", entry.place)
        }
        if hasShortNames, entry.arguments != ["short_names"] {
            let what = "\(service) asks no short name for a code: pam_entralogin.so lacks the argument short_names"
            return finding(service, .error, what, entry.place)
        }
        if let culprit = stack.passingOver(index) {
            let what = "\(culprit.module) can end the stack or jump over pam_entralogin.so: then no code is asked for"
            return finding(service, .error, what, culprit.place)
        }
        if entry.control.action(on: "module_unknown") != .ignore {
            let what =
                "without the file pam_entralogin.so nobody who needs a password there could use \(service), local accounts included"
            return finding(service, .warning, what, entry.place)
        }
        return Finding(.pam(service, "auth"), .good, "\(service) asks for a code", place: entry.place)
    }

    private func finding(_ service: String, _ severity: Severity, _ found: String, _ place: String?) -> Finding {
        Finding(
            .pam(service, "auth"),
            severity,
            found,
            place: place,
            needed: DeviceSignInRule.line + (hasShortNames ? " short_names" : ""),
            remedy: "write the line first in /etc/pam.d/\(service), by hand; or take sudo out of Services="
        )
    }

    // MARK: sudoers

    private func evaluateSudoers(_ machine: any HostView) -> Finding? {
        guard let text = try? machine.text(of: LocalAccountsRule.sudoers) else { return nil }
        if let line = text.lines.firstIndex(where: { line in
            let words = line.split { $0 == " " || $0 == "\t" || $0 == ":" }
            return words.contains("NOPASSWD")
        }) {
            let what = "step-up does not happen: sudo asks administrators for nothing (NOPASSWD)"
            return sudoers(.error, what, "\(LocalAccountsRule.sudoers):\(line + 1)")
        }
        guard let name = administrator,
            let program = SudoAnswer.programs.first(where: { machine.exists($0) })
        else { return nil }
        // sudo loads the plugin that knows the administrators only for members of the Entra users' group, so root joins
        // that group for this command.
        let answer = machine.run(StepUpRule.joiner, ["--groups", "0,1879048192", program, "-n", "-l", "-U", name])
        guard answer.status == 0 else { return nil }
        return StepUpRule.obstacle(in: answer.output).map { sudoers($0.severity, $0.what, nil) }
    }

    private func sudoers(_ severity: Severity, _ what: String, _ place: String?) -> Finding {
        Finding(.sudoersStepUp, severity, what, place: place, needed: "PASSWD", remedy: StepUpRule.remedy)
    }

    /// What keeps sudo from asking PAM, or from asking it about the user who runs sudo, by the output of `sudo -l`.
    private static func obstacle(in list: String) -> (severity: Severity, what: String)? {
        let parts = list.lines.split(maxSplits: 1) { $0.contains(" may run the following commands") }
        guard parts.count == 2 else { return nil }
        let defaults = StepUpRule.defaults(parts[0].joined(separator: " "))
        if defaults["authenticate"] == "no" {
            return (.error, "step-up does not happen: sudoers has !authenticate for administrators")
        }
        if let other = ["targetpw", "rootpw", "runaspw"].first(where: { defaults[$0] == "yes" }) {
            return (
                .error,
                "sudoers has \(other) for administrators: sudo asks about another user, and refuses administrators"
            )
        }
        for (name, usual) in [("pam_service", ["sudo"]), ("pam_login_service", PAMServices.stepUp)] {
            guard let service = defaults[name], !usual.contains(service) else { continue }
            return (.error, "sudoers has \(name)=\(service) for administrators: no code is asked for there")
        }
        let free = parts[1].filter { $0.contains("NOPASSWD:") }
        guard !free.isEmpty else { return nil }
        if free.contains(where: SudoAnswer.isEverything) {
            return (.error, "step-up does not happen: sudo asks administrators for nothing (NOPASSWD)")
        }
        return (.warning, "some commands are administrators' without a code: sudoers has NOPASSWD for them")
    }

    /// `name`, `!name` and `name=value`, the last of each: later settings override earlier ones (sudoers(5)).
    private static func defaults(_ list: String) -> [String: String] {
        var values: [String: String] = [:]
        for word in list.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "\t" }) {
            let halves = word.split(separator: "=", maxSplits: 1)
            guard let first = halves.first else { continue }
            let isOff = first.hasPrefix("!")
            values[String(isOff ? first.dropFirst() : first)] =
                halves.count == 2 ? String(halves[1]) : isOff ? "no" : "yes"
        }
        return values
    }
}
