// SPDX-License-Identifier: Apache-2.0

/// Evaluates the files of entralogin that other programs load or run: each must exist, be root's, be writable by root
/// only, and load or run.
package struct ProgramFilesRule: Sendable {
    /// The folders in which distributions keep libraries; the first one that has the file counts.
    package static let moduleFolders = [
        "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
        "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/lib",
    ]
    package static let nameServiceModule = "libnss_entralogin.so.2"
    package static let shortNameServiceModule = "libnss_entralogin_short.so.2"

    private static let remedy = "make install, or install the package again"

    /// `loaded`: the files that libpam has loaded as entralogin's module (`PAMTransaction`); if there are any, they
    /// count.
    /// `hasShortNames`: which of the two modules of the name service counts.
    func evaluate(
        _ machine: any HostView,
        loaded: [String],
        hasShortNames: Bool = false
    ) -> (findings: [Finding], files: [String]) {
        let module = hasShortNames ? ProgramFilesRule.shortNameServiceModule : ProgramFilesRule.nameServiceModule
        let nss = evaluateModule(.moduleNSS, module, at: ProgramFilesRule.installed(module, machine), machine)
        let installed = ProgramFilesRule.installedModule(machine)
        let used = Set(loaded.map { usualName(of: $0, installed, machine) }).sorted()
        let files: [String?] = used.isEmpty ? [installed] : used
        let modules = [nss] + files.map { evaluateModule(.modulePAM, PAMStack.entraloginModule, at: $0, machine) }
        let programs = [
            evaluateProgram(.helper, SSHDRule.helper, "the certificate check", machine),
            evaluateProgram(.pamProbe, PAMTransaction.program, "the program that asks libpam", machine),
        ]
        let paths = modules.compactMap(\.path) + [SSHDRule.helper, PAMTransaction.program]
        return (modules.map(\.finding) + programs, paths)
    }

    /// The path of entralogin's PAM module in the usual folders; libpam may load it from another one.
    package static func installedModule(_ machine: any HostView) -> String? {
        moduleFolders.lazy.map { "\($0)/security/\(PAMStack.entraloginModule)" }.first { machine.exists($0) }
    }

    package static func installed(_ name: String, _ machine: any HostView) -> String? {
        moduleFolders.lazy.map { "\($0)/\(name)" }.first { machine.exists($0) }
    }

    /// The file that libpam loaded, under its usual name if that is the same file (/lib is a link on most machines).
    private func usualName(of loaded: String, _ installed: String?, _ machine: any HostView) -> String {
        guard let installed, let file = try? machine.status(of: loaded), let usual = try? machine.status(of: installed)
        else { return loaded }
        return file.device == usual.device && file.inode == usual.inode ? installed : loaded
    }

    private func evaluateModule(
        _ id: FindingID,
        _ name: String,
        at path: String?,
        _ machine: any HostView
    ) -> (finding: Finding, path: String?) {
        guard let path else {
            let finding = Finding(id, .error, "\(name) is in no library folder", remedy: ProgramFilesRule.remedy)
            return (finding, nil)
        }
        if let problem = unsafety(of: path, machine) { return (unsafe(id, path, problem), path) }
        if let complaint = machine.complaintOnLoading(module: path) {
            return (
                Finding(id, .error, "cannot be loaded: \(complaint)", place: path, remedy: ProgramFilesRule.remedy),
                path
            )
        }
        return (Finding(id, .good, "\(name) is root's and loads", place: path), path)
    }

    /// sshd itself refuses to run an unsafe helper, too ("Unsafe AuthorizedPrincipalsCommand"), but says so only in its
    /// log.
    private func evaluateProgram(_ id: FindingID, _ path: String, _ what: String, _ machine: any HostView) -> Finding {
        guard machine.exists(path) else {
            return Finding(id, .error, "\(what) is missing", place: path, remedy: Self.remedy)
        }
        if let problem = unsafety(of: path, machine) { return unsafe(id, path, problem) }
        guard let status = try? machine.status(of: path), status.mode & 0o111 == 0o111 else {
            return unsafe(id, path, "may not be run by everybody", remedy: "chmod 0755 \(path)")
        }
        return Finding(id, .good, "\(what) is root's and can be run", place: path)
    }

    /// Why users other than root could change the file or a folder above it; nil if they could not.
    private func unsafety(of path: String, _ machine: any HostView) -> String? {
        var current = path
        while true {
            let status: FileStatus
            do throws(FileAbsence) {
                status = try machine.status(of: current)
            } catch {
                return "\(current) is missing or cannot be seen"
            }
            guard current != path || status.kind == .file else { return "is not a plain file" }
            guard status.owner == 0 else { return "\(current) belongs to user \(status.owner), not to root" }
            guard status.mode & 0o022 == 0 else { return "\(current) can be written by others than root" }
            guard current != "/", let slash = current.lastIndex(of: "/") else { return nil }
            current = slash == current.startIndex ? "/" : String(current[..<slash])
        }
    }

    private func unsafe(_ id: FindingID, _ path: String, _ problem: String, remedy: String? = nil) -> Finding {
        Finding(
            id,
            .error,
            problem,
            place: path,
            needed: "the file and every folder above it root's, writable by nobody else",
            remedy: remedy ?? "chown root:root and chmod go-w what is named, or \(ProgramFilesRule.remedy)"
        )
    }
}

/// Evaluates the accounts of the daemon and of the helper, and the administrators' sudo.
package struct LocalAccountsRule: Sendable {
    package static let sudoers = "/etc/sudoers.d/entralogin"
    /// How sudoers names the administrators (entralogin_sudo.h).
    static let members = "\"%:entralogin:administrators\""
    private static let remedy = "/usr/libexec/entralogin/configure --enable"

    func evaluate(_ machine: any HostView) -> [Finding] {
        let passwd = (try? machine.text(of: "/etc/passwd")) ?? ""
        let users = ["entralogin", SSHDRule.helperUser].map { user in
            evaluate(user, passwd.lines.first { $0.hasPrefix("\(user):") })
        }
        return users + [evaluateSudoers(machine)]
    }

    private func evaluate(_ user: String, _ line: Substring?) -> Finding {
        let id: FindingID = .user(user)
        guard let line else {
            let isHelper = user == SSHDRule.helperUser
            let what = isHelper ? "sshd checks no certificate" : "nobody signs in after the daemon's next start"
            return Finding(
                id,
                .error,
                "there is no local user \(user): \(what)",
                place: "/etc/passwd",
                remedy: LocalAccountsRule.remedy,
                keepsOut: isHelper ? .everybody : .later
            )
        }
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 7, let uid = UInt32(fields[2]), uid != 0 else {
            return Finding(
                id,
                .error,
                "the local user \(user) is root, or its line cannot be read",
                place: "/etc/passwd",
                needed: "a system user of its own",
                remedy: "remove that line, then \(LocalAccountsRule.remedy)"
            )
        }
        return Finding(id, .good, "the user \(user) is there")
    }

    private func evaluateSudoers(_ machine: any HostView) -> Finding {
        guard machine.exists("/etc/pam.d/sudo") else {
            return Finding(.sudoers, .note, "sudo is not installed: administrators have no sudo")
        }
        guard let status = try? machine.status(of: LocalAccountsRule.sudoers) else {
            return Finding(
                .sudoers,
                .warning,
                "administrators have no sudo: the file is missing",
                place: LocalAccountsRule.sudoers,
                remedy: LocalAccountsRule.remedy
            )
        }
        guard status.owner == 0, status.mode & 0o022 == 0 else {
            return Finding(
                .sudoers,
                .warning,
                "sudo will not read a file that others than root own or write",
                place: LocalAccountsRule.sudoers,
                remedy: "chown root:root and chmod 0440 it"
            )
        }
        if let missing = missingLine(machine) {
            return Finding(
                .sudoers,
                .warning,
                "administrators have no sudo: the file has no line \(missing)",
                place: LocalAccountsRule.sudoers,
                remedy: LocalAccountsRule.remedy
            )
        }
        return Finding(.sudoers, .good, "administrators have sudo", place: LocalAccountsRule.sudoers)
    }

    /// The line for the administrators that the file lacks: the rule itself, for the plugin's members or for the group
    /// (sudo-rs); and for members, the line of the plugin. Nil if none is missing.
    private func missingLine(_ machine: any HostView) -> String? {
        guard let text = try? machine.text(of: LocalAccountsRule.sudoers) else { return nil }
        let lines = text.lines.filter { line in
            let start = line.first { $0 != " " && $0 != "\t" }
            return start != nil && start != "#"
        }
        guard let rule = lines.first(where: { !$0.hasPrefix("Defaults") && $0.contains("ALL") && $0.contains("%") })
        else {
            return "that gives them a right"
        }
        guard rule.hasPrefix(LocalAccountsRule.members) else { return nil }
        let names = lines.contains { $0.hasPrefix("Defaults") && $0.contains("group_plugin=") }
        return names ? nil : "with group_plugin="
    }
}
