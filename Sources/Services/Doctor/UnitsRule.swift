// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// Evaluates whether entralogin's units exist, run, and start at boot, if systemd runs (systemctl(1), `show`).
struct UnitsRule: Sendable {
    private struct Need {
        var unit: String
        /// Error: no Entra account can sign in without it.
        var severity: Severity
        /// What goes wrong without it.
        var why: String
    }

    private static let needs = [
        Need(unit: "entralogind-control.socket", severity: .error, why: "the modules reach nobody"),
        Need(unit: "entralogind-principals.socket", severity: .error, why: "certificates are checked by nobody"),
        Need(unit: "entralogind.service", severity: .error, why: "nobody decides"),
        watch("stack.path", why: "after an edit sign-in may stay off for up to 15 minutes"),
        watch("stack-sshd.path", why: "an edit in sshd_config.d is checked up to 15 minutes late"),
        watch("stack-pid.path", why: "a reload of sshd is checked up to 15 minutes late"),
        watch("stack-sudoers.path", why: "an edit of sudoers is checked up to 15 minutes late"),
        watch("stack-sudoers-folder.path", why: "an edit in sudoers.d is checked up to 15 minutes late"),
        watch("stack.timer", why: "a change that no path unit has seen is checked only with the next one"),
        Need(
            unit: "entralogin-sessions.socket",
            severity: .warning,
            why: "EndSessions=, users retire and a revocation end no session"
        ),
        Need(
            unit: "entralogin-keys.path",
            severity: .warning,
            why: "new keys of Entra's do not reach sshd until entraloginctl keys --publish"
        ),
        Need(
            unit: "entralogin-linger.path",
            severity: .warning,
            why: "lingering user managers that had to wait for Azure are not started"
        ),
        Need(
            unit: "entralogin-audit.socket",
            severity: .note,
            why: "the Linux audit system hears nothing of entralogin"
        ),
    ]
    private static func watch(_ unit: String, why: String) -> Need {
        Need(unit: "entralogin-\(unit)", severity: .warning, why: why)
    }

    /// The units that are looked at.
    static let units = needs.map(\.unit)
    private static let programs = ["/usr/bin/systemctl", "/bin/systemctl"]

    struct Outcome {
        var findings: [Finding]
        /// The daemon runs as another user, so its files belong to that user.
        var runsAsAnother = false
    }

    func evaluate(_ machine: any HostView) -> Outcome {
        guard machine.exists("/run/systemd/system"),
            let program = UnitsRule.programs.first(where: { machine.exists($0) })
        else {
            let what = "systemd does not run here: entralogind has to be started in another way"
            return Outcome(findings: [Finding(.units, .note, what)])
        }
        let properties = "--property=Id,LoadState,FragmentPath,ActiveState,UnitFileState,User,MainPID"
        let result = machine.run(program, ["show", "--no-pager", properties] + UnitsRule.units)
        let states = UnitsRule.states(in: result.output)
        let asAnother = [user(states), number(states, machine)].compactMap(\.self)
        let found = UnitsRule.needs.compactMap { evaluate($0, states[$0.unit] ?? [:]) } + asAnother
        guard !found.isEmpty else {
            return Outcome(findings: [Finding(.units, .good, "entralogin's units run, and start at boot")])
        }
        return Outcome(findings: found, runsAsAnother: !asAnother.isEmpty)
    }

    /// A daemon that runs as another user cannot read the state, and systemd gives it the folders at each start.
    private func user(_ states: [String: [String: String]]) -> Finding? {
        let unit = "entralogind.service"
        guard let user = states[unit]?["User"], user != "entralogin", states[unit]?["LoadState"] == "loaded" else {
            return nil
        }
        return Finding(
            .unit(unit),
            .error,
            "\(unit) runs as \(user.isEmpty ? "root" : user): its files are another's, and nobody is let in",
            needed: "User=entralogin",
            remedy:
                "systemctl cat \(unit) shows the drop-in that says so: take User= out there, then systemctl daemon-reload"
                + " and systemctl restart \(unit)"
        )
    }

    /// A running daemon, and its files, keep the uid that its user had at the start.
    private func number(_ states: [String: [String: String]], _ machine: any HostView) -> Finding? {
        let unit = "entralogind.service"
        guard let process = states[unit]?["MainPID"], process != "0", states[unit]?["User"] == "entralogin",
            let text = try? machine.text(of: "/proc/\(process)/status"),
            let words = text.lines.first(where: { $0.hasPrefix("Uid:") })?.split(whereSeparator: \.isWhitespace),
            words.count > 1, let running = UInt32(words[1]),
            let passwd = try? machine.text(of: "/etc/passwd"),
            let now = LocalAccounts.uid(of: "entralogin", in: Array(passwd.utf8)), now != running
        else { return nil }
        return Finding(
            .unit(unit),
            .error,
            "\(unit) runs as user \(running), and entralogin has the number \(now) now: from its next start on its files and "
                + "sockets are another's",
            place: "/etc/passwd",
            needed: "the number with which it was installed",
            remedy: "usermod -u \(running) entralogin",
            keepsOut: .later
        )
    }

    private func evaluate(_ need: Need, _ state: [String: String]) -> Finding? {
        let id: FindingID = .unit(need.unit)
        let active = state["ActiveState"] ?? "unknown"
        let isUp = ["active", "activating", "reloading"].contains(active)
        guard state["LoadState"] == "loaded" else {
            let load = state["LoadState"] ?? "not known to systemd"
            let what = isUp ? "is \(load) and runs on: from its next start on, \(need.why)" : "is \(load): \(need.why)"
            let remedy =
                load == "masked" ? UnitsRule.unmask(need.unit, state) : UnitsRule.reinstall
            let keepsOut: KeptOut? = isUp && need.severity == .error ? .later : nil
            return Finding(id, need.severity, "\(need.unit) \(what)", remedy: remedy, keepsOut: keepsOut)
        }
        guard isUp else {
            let what = "\(need.unit) is \(active): \(need.why)"
            return Finding(
                id,
                need.severity,
                what,
                remedy: "systemctl enable --now \(need.unit); systemctl status \(need.unit)"
            )
        }
        guard state["UnitFileState"] == "disabled" else { return nil }
        let what = "\(need.unit) is disabled: it does not start at boot"
        return Finding(id, min(need.severity, .warning), what, remedy: "systemctl enable \(need.unit)")
    }

    private static let reinstall = "install the package again"

    /// A link to /dev/null in /etc or /run masks a unit, and so does an empty unit file of the package (systemd.unit(5)).
    /// `FragmentPath` is the link's path, or /dev/null up to systemd 247.
    private static func unmask(_ unit: String, _ state: [String: String]) -> String {
        let path = state["FragmentPath"] ?? ""
        guard !path.hasPrefix("/usr/"), !path.hasPrefix("/lib/") else { return reinstall }
        let runtime = state["UnitFileState"] == "masked-runtime" ? "--runtime " : ""
        return "systemctl unmask \(runtime)\(unit) && systemctl enable --now \(unit)"
    }

    /// Blocks of `Key=value` lines, an empty line between two.
    static func states(in output: String) -> [String: [String: String]] {
        var states: [String: [String: String]] = [:]
        var block: [String: String] = [:]
        for line in output.lines + [""] {
            guard let equals = line.firstIndex(of: "=") else {
                if let id = block["Id"] { states[id] = block }
                block = [:]
                continue
            }
            block[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return states
    }
}
