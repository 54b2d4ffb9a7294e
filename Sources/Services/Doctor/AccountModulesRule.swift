// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Integration

/// What the other modules of sshd's account stage do with one account, by their files. Modules whose answer the files
/// do not show are reported as not asked.
struct AccountModulesRule: Sendable {
    /// Modules that do not refuse an account with a record and a certificate, or that other rules evaluate.
    private static let neutral: Set<String> = [
        "pam_entralogin.so", "pam_unix.so", "pam_permit.so", "pam_nologin.so", "pam_localuser.so",
        "pam_sss.so", "pam_sss_gss.so", "pam_systemd.so", "pam_systemd_home.so", "pam_env.so", "pam_warn.so",
        "pam_faillock.so", "pam_lastlog.so", "pam_lastlog2.so", "pam_mkhomedir.so", "pam_usertype.so", "pam_winbind.so",
        "pam_ldap.so", "pam_krb5.so", "pam_debug.so", "pam_echo.so", "pam_motd.so", "pam_cap.so", "pam_sepermit.so",
        "pam_selinux.so", "pam_loginuid.so", "pam_limits.so", "pam_oddjob_mkhomedir.so",
    ]

    let machine: any HostView
    let service: String
    private let stack: PAMStack?
    /// The access.conf of each pam_access.so line, by the line's arguments; each is read once.
    private let accessRules: [[String]: AccessFile]

    init(machine: any HostView, service: String = "sshd") {
        self.machine = machine
        self.service = service
        stack = try? PAMStack(service: service, type: "account", on: machine)
        accessRules = (stack?.entries ?? []).reduce(into: [:]) { rules, entry in
            guard entry.module == "pam_access.so", rules[entry.arguments] == nil else { return }
            rules[entry.arguments] = AccessFile(entry.arguments, on: machine)
        }
    }

    /// The same files in the order of the stack.
    var accessFiles: [AccessFile] {
        (stack?.entries ?? []).filter { $0.module == "pam_access.so" }.compactMap { accessRules[$0.arguments] }
    }

    func evaluate(_ account: Explanation.Account, groups: [String]) -> [Finding] {
        let sessions = try? PAMStack(service: service, type: "session", on: machine)
        let denied = sessions.map { stack in
            stack.entries.enumerated().compactMap { deniedSession($1, at: $0, in: stack) }
        }
        guard let stack else { return denied ?? [] }
        let folder = moduleFolder()
        let asked = stack.entries.enumerated().compactMap { index, entry -> Finding? in
            if let missing = missing(entry, folder) { return missing }
            guard !AccountModulesRule.neutral.contains(entry.module), !isGuard(entry), mayRefuse(entry),
                entry.module != "pam_deny.so" || !isPassedOver(index, in: stack)
            else { return nil }
            let answer = self.answer(of: entry, account, groups)
            switch answer {
            case .passes: return Finding(.pam, .good, "\(entry.module) lets this user pass", place: entry.place)
            case .refuses(let why, let remedy):
                return Finding(
                    .pam,
                    .error,
                    "\(entry.module) refuses this user: \(why)",
                    place: entry.place,
                    remedy: remedy
                )
            case .unknown(let why):
                let what =
                    "\(entry.module) of \(service)'s account stage was not asked" + (why.isEmpty ? "" : ": \(why)")
                let remedy = "look at its line and files; what it refuses is in \(service)'s own log only"
                return Finding(.pam, .warning, what, place: entry.place, remedy: remedy, keepsOut: .unknown)
            }
        }
        return asked + (denied ?? [])
    }

    /// Whether the stack succeeds before that entry, or jumps over it, if the modules before it return success or
    /// ignore. Their other answers (pam_unix's `new_authtok_reqd`) do not occur for an account without a password.
    private func isPassedOver(_ index: Int, in stack: PAMStack) -> Bool {
        stack.entries[..<index].enumerated().contains { position, entry in
            ["success", "ignore"].contains { code in
                switch entry.control.action(on: code) {
                case .done: true
                case .jump(let count): position + count + 1 > index
                case .ignore, .bad, .die, .ok, .reset: false
                }
            }
        }
    }

    /// A finding if this line of the session stage refuses every user.
    private func deniedSession(_ entry: PAMEntry, at index: Int, in stack: PAMStack) -> Finding? {
        guard entry.module == "pam_deny.so", mayRefuse(entry), !isPassedOver(index, in: stack) else { return nil }
        return Finding(
            .pam,
            .error,
            "pam_deny.so refuses everybody's session",
            place: entry.place,
            remedy: "take that line out, or have one before it jump over it"
        )
    }

    /// The folder with the PAM modules, entralogin's among them; nil if unknown.
    private func moduleFolder() -> String? {
        guard let module = ProgramFilesRule.installedModule(machine), let slash = module.lastIndex(of: "/") else {
            return nil
        }
        let folder = String(module[..<slash])
        return machine.exists("\(folder)/pam_unix.so") ? folder : nil
    }

    /// A line whose module is missing refuses every user, unless its control says otherwise.
    private func missing(_ entry: PAMEntry, _ folder: String?) -> Finding? {
        guard let folder, !entry.mayBeMissing, !entry.module.hasPrefix("substack "),
            [.bad, .die].contains(entry.control.action(on: "module_unknown"))
        else { return nil }
        let path = entry.path.hasPrefix("/") ? entry.path : "\(folder)/\(entry.path)"
        guard !machine.exists(path) else { return nil }
        return Finding(
            .pam,
            .error,
            "\(entry.module) refuses this user: there is no such module",
            place: entry.place,
            remedy: "install it, or take that line out"
        )
    }

    /// Whether this is one of the lines that take the place of entralogin's module if it cannot be loaded.
    private func isGuard(_ entry: PAMEntry) -> Bool {
        let line = ([entry.module] + entry.arguments).joined(separator: " ")
        return PAMRule.lines("account").dropFirst().contains { $0.hasSuffix(line) }
    }

    /// Whether its refusal ends the stack, or makes the stack fail.
    private func mayRefuse(_ entry: PAMEntry) -> Bool {
        let actions = ["perm_denied", "auth_err", "acct_expired"].map { entry.control.action(on: $0) }
        return actions.contains(.bad) || actions.contains(.die)
    }

    private func answer(of entry: PAMEntry, _ account: Explanation.Account, _ groups: [String]) -> ModuleAnswer {
        switch entry.module {
        case "pam_access.so":
            accessRules[entry.arguments]?.answer(for: account.name, groups: groups) ?? .unknown("")
        case "pam_listfile.so": listFile(entry.arguments, account.name, groups)
        case "pam_succeed_if.so": condition(entry.arguments, account, groups)
        case "pam_deny.so":
            .refuses("it refuses everybody", remedy: "take that line out, or have one before it jump over it")
        case "pam_time.so" where isEmpty("/etc/security/time.conf"): .passes
        case "pam_time.so": .unknown("its file's names end at an @, so a line for one Entra account means nobody")
        default: .unknown("")
        }
    }

    private func isEmpty(_ file: String) -> Bool {
        let text = (try? machine.text(of: file)) ?? ""
        return text.lines.allSatisfy { $0.prefix { $0 != "#" }.allSatisfy { $0 == " " || $0 == "\t" || $0 == "\r" } }
    }

    /// pam_listfile(8): `item=user|group sense=allow|deny file=…`, for every user.
    private func listFile(_ arguments: [String], _ name: String, _ groups: [String]) -> ModuleAnswer {
        let values = arguments.reduce(into: [String: String]()) { values, word in
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
        guard let file = values["file"], let sense = values["sense"], values["apply"] == nil,
            let item = values["item"], ["user", "group"].contains(item)
        else { return .unknown("") }
        guard let text = try? machine.text(of: file) else { return .unknown("\(file) cannot be read") }
        let lines = Set(text.lines)
        let isListed = item == "user" ? lines.contains(name[...]) : groups.contains { lines.contains($0[...]) }
        guard isListed != (sense == "allow") else { return .passes }
        let why = "\(file) \(isListed ? "lists" : "does not list") this user"
        return .refuses(why, remedy: isListed ? "take the line out of \(file)" : "add a line to \(file)")
    }

    /// pam_succeed_if(8), one condition of the common ones.
    private func condition(_ arguments: [String], _ account: Explanation.Account, _ groups: [String]) -> ModuleAnswer {
        let words = arguments.filter { !["quiet", "quiet_fail", "quiet_success", "debug", "audit"].contains($0) }
        guard words.count == 3, !arguments.contains("use_uid") else { return .unknown("") }
        let holds: Bool
        switch (words[0], words[1]) {
        case ("user", "ingroup"): holds = groups.contains { words[2].split(separator: ":").contains($0[...]) }
        case ("user", "notingroup"): holds = !groups.contains { words[2].split(separator: ":").contains($0[...]) }
        case ("shell", _) where account.shell.isEmpty: return .unknown("")
        case ("shell", "in"), ("shell", "="): holds = words[2].split(separator: ":").contains(account.shell[...])
        case ("shell", "notin"), ("shell", "!="): holds = !words[2].split(separator: ":").contains(account.shell[...])
        case ("user", "="), ("user", "eq"): holds = account.name == words[2]
        case ("user", "!="), ("user", "ne"): holds = account.name != words[2]
        case ("uid", let sign):
            guard let number = UInt32(words[2]), let compared = compare(account.uid, sign, number) else {
                return .unknown("")
            }
            holds = compared
        default: return .unknown("")
        }
        guard !holds else { return .passes }
        return .refuses(
            "'\(words.joined(separator: " "))' does not hold",
            remedy: "change that line of sshd's account stage"
        )
    }

    private func compare(_ left: UInt32, _ sign: String, _ right: UInt32) -> Bool? {
        switch sign {
        case ">=", "ge": left >= right
        case ">", "gt": left > right
        case "<=", "le": left <= right
        case "<", "lt": left < right
        case "=", "eq": left == right
        case "!=", "ne": left != right
        default: nil
        }
    }
}
