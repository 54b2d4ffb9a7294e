// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates session recording by tlog if it is on: as a login shell (`Shell=`, `users set-shell`) or by sshd's
/// `ForceCommand`. tlog-rec-session ends a session that it cannot record, and does not report what it cannot see. The
/// effect of each state was tried with tlog 12.1 (Tests/Integration/recording.py).
struct TlogRule: Sendable {
    /// `Shell=` and its `file:line`; nil if the settings cannot be read.
    let shell: String?
    let shellPlace: String?

    static let configuration = "/etc/tlog/tlog-rec-session.conf"
    static let locks = "/run/tlog"
    private static let name = "tlog-rec-session"
    private static let setpriv = "/usr/bin/setpriv"
    /// An account without rights: every user must be able to read the configuration.
    private static let asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups"]
    /// The number of accounts that a finding names.
    private static let shown = 5

    func evaluate(_ machine: any EnvironmentView) -> [Finding] {
        let accounts = EnrolledAccountsRule(on: machine).shellsInUse
        let forced = SSHDFiles(on: machine).lines.first {
            $0.keyword == "forcecommand" && TlogRule.isNamed(in: $0.rest)
        }
        let command = forced.flatMap { SSHDWords.arguments(of: $0.rest)?.first }
        let shells = [shell ?? ""] + accounts.map(\.shell)
        guard let program = shells.first(where: TlogRule.isTlog) ?? command else { return [] }
        // For a missing shell, the rules for Shell= and for the accounts have their own findings.
        if let obstacle = ShellRule.obstacle(program, machine) {
            return [forced.map { ends("sshd's ForceCommand cannot be run: \(obstacle)", $0.place, "apt install tlog") }]
                .compactMap(\.self)
        }
        let place = forced?.place ?? shellPlace
        let findings =
            [configuration(program, machine), hostName(machine), setID(program, machine)].compactMap(\.self)
            + (forced == nil ? [others(accounts)].compactMap(\.self) : [])
        guard findings.isEmpty else { return findings }
        return [Finding(.recordingTlog, .good, "tlog records sessions of Entra accounts", place: place)]
    }

    /// True also for the names under which it starts another shell (tlog-rec-session-shell-zsh).
    private static func isTlog(_ shell: String) -> Bool {
        shell.split(separator: "/").last.map { $0 == name || $0.hasPrefix("\(name)-shell-") } ?? false
    }

    private static func isNamed(in command: String) -> Bool {
        command.split { " \t\"'".contains($0) }.contains { isTlog(String($0)) }
    }

    /// Reads the configuration as tlog does for a user; finds what keeps sessions from starting or from being recorded.
    private func configuration(_ program: String, _ machine: any EnvironmentView) -> Finding? {
        guard machine.exists(TlogRule.setpriv) else { return nil }
        let command = TlogRule.asNobody + [program, "--configuration"]
        let result = machine.run(TlogRule.setpriv, command)
        guard result.status == 0 else {
            let why = result.complaint.lines.first { !$0.isEmpty } ?? "no reason given"
            let shown = ([TlogRule.setpriv] + command).joined(separator: " ")
            return ends(
                "tlog cannot read its configuration as a user: \(why)",
                TlogRule.configuration,
                "chmod 0644 it, its folder 0755, or correct it; this shows what tlog says: \(shown)"
            )
        }
        let values = TlogRule.values(result.output)
        if let shell = values["shell"], let obstacle = ShellRule.obstacle(shell, machine) {
            let what = "tlog starts another shell, and \(obstacle)"
            return ends(what, TlogRule.configuration, "name one that is there in \"shell\"")
        }
        if values["output"] == "false", values["input"] == "false" {
            let what = "neither output nor input is recorded"
            return silent(what, TlogRule.configuration, "set \"output\" to true in \"log\" there")
        }
        guard values["writer"] == "journal", let place = TlogRule.unstored(machine) else { return nil }
        let what = "the journal, into which tlog writes, keeps nothing"
        return silent(what, place, "Storage=auto there; then systemctl restart systemd-journald")
    }

    /// tlog writes the machine's full name into each record, or an empty one if it finds none.
    private func hostName(_ machine: any EnvironmentView) -> Finding? {
        let getent = "/usr/bin/getent"
        let text = (try? machine.text(of: "/proc/sys/kernel/hostname")) ?? ""
        let name = String(text.prefix { $0 != "\n" })
        guard !name.isEmpty, machine.exists(getent), machine.run(getent, ["ahosts", name]).status == 2 else {
            return nil
        }
        return Finding(
            .recordingTlog,
            .warning,
            "tlog does not find this machine's own name, \(name): its records name no machine",
            place: "/etc/hosts",
            needed: "an address for that name",
            remedy: "add there: 127.0.1.1 \(name)"
        )
    }

    /// The lock files keep a session inside a recorded one from being recorded twice.
    private func setID(_ program: String, _ machine: any EnvironmentView) -> Finding? {
        guard let status = try? machine.status(of: program) else { return nil }
        let folder = try? machine.status(of: TlogRule.locks)
        let mayWrite = status.owner == 0 || folder.map { $0.owner == status.owner } ?? false
        guard status.mode & 0o6000 != 0o6000 || folder == nil || !mayWrite else { return nil }
        return Finding(
            .recordingTlogLocks,
            .warning,
            "tlog cannot write its lock files: each session begins with an error, and a su within it is recorded twice",
            place: program,
            needed: "the set-id bits of the owner of \(TlogRule.locks)",
            remedy: "on Debian: dpkg-statoverride --force-statoverride-add --update --add _tlog _tlog 6755 \(program);"
                + " then systemd-tmpfiles --create"
        )
    }

    /// `Shell=` takes effect only at an account's first sign-in.
    private func others(_ accounts: [(name: String, shell: String)]) -> Finding? {
        let found = accounts.filter { !TlogRule.isTlog($0.shell) }
        guard let shell, TlogRule.isTlog(shell), let first = found.first else { return nil }
        let names = found.prefix(TlogRule.shown).map(\.name).joined(separator: ", ")
        let more = found.count > TlogRule.shown ? " (and \(found.count - TlogRule.shown) more)" : ""
        return Finding(
            .recordingAccounts,
            .warning,
            "these accounts signed in before Shell= was tlog, and are not recorded: \(names)\(more)",
            place: shellPlace,
            needed: "tlog as the shell of each, unless that is meant",
            remedy: "entraloginctl users set-shell \(first.name) \(shell)"
        )
    }

    /// The line that sets journald's `Storage=` to `none`, if it is the last one to set it.
    private static func unstored(_ machine: any EnvironmentView) -> String? {
        let main = "/etc/systemd/journald.conf"
        var last: (value: String, place: String)?
        for path in [main] + machine.paths(matching: "\(main).d/*.conf") {
            for (index, line) in ((try? machine.text(of: path)) ?? "").lines.enumerated() {
                let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\t" } }
                if parts.count == 2, parts[0] == "Storage" { last = (parts[1], "\(path):\(index + 1)") }
            }
        }
        return last?.value == "none" ? last?.place : nil
    }

    /// The members in the output of `--configuration`: each has its own line and a unique name.
    private static func values(_ text: String) -> [String: String] {
        var result: [String: String] = [:]
        for line in text.lines {
            let parts = line.split(separator: ":", maxSplits: 1).map { part in
                part.filter { !" \t\r\",\\".contains($0) }
            }
            if parts.count == 2 { result[parts[0]] = parts[1] }
        }
        return result
    }

    private func ends(_ what: String, _ place: String, _ remedy: String) -> Finding {
        Finding(
            .recordingTlog,
            .error,
            "recorded sessions end at once: \(what)",
            place: place,
            needed: "what tlog needs to begin",
            remedy: remedy
        )
    }

    private func silent(_ what: String, _ place: String, _ remedy: String) -> Finding {
        Finding(.recordingTlog, .warning, "tlog runs, and nothing is recorded: \(what)", place: place, remedy: remedy)
    }
}
