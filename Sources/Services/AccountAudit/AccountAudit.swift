// SPDX-License-Identifier: Apache-2.0

internal import Identity
package import Integration

/// Finds the local accounts that can be signed in to without Entra. Read-only. Needs root: it reads /etc/shadow, other
/// users' keys, and sshd's host keys through `sshd -T`. What cannot be read is reported as a problem, never as fine.
package struct AccountAudit: Sendable {
    private let machine: any HostView
    private let allowed: AllowList
    /// Days since 1970.
    private let today: Int64
    private let domains: [String]

    /// `domains` is the value of `Domains=`; empty means any.
    package init(on machine: any HostView, allowing allowed: AllowList, today: Int64, domains: [String] = []) {
        self.domains = domains
        self.machine = machine
        self.allowed = allowed
        self.today = today
    }

    package func run() -> AccountAuditReport {
        var problems: [AuditProblem] = []
        let files = AccountFiles(
            passwd: text(of: AccountFiles.passwd, &problems),
            shadow: text(of: AccountFiles.shadow, &problems),
            today: today
        )
        problems += files.problems
        let sshd = StackCheck.sshdPrograms.first { machine.exists($0) }
        var accounts: [AuditedAccount] = []
        let mapped = self.mapped(&problems)
        for entry in files.entries where !entry.isExpired && !mapped.contains(entry.name) {
            var account = AuditedAccount(name: entry.name, uid: entry.uid, shell: entry.shell)
            account.shellRefuses = AccountAudit.refusingShells.contains { entry.shell.hasSuffix("/\($0)") }
            look(at: entry, sshd, &account, &problems)
            guard !account.ways.isEmpty else { continue }
            askSudo(&account, &problems)
            account.ways = LocalWay.allCases.filter(account.ways.contains)
            account.notAllowed = account.ways.filter { !allowed.allows($0, for: account.name) }
            accounts.append(account)
        }
        let names = Set(accounts.map(\.name))
        let inVain = allowed.allowed.keys.filter { !names.contains($0) }.sorted()
        var report = AccountAuditReport(accounts: accounts, allowedInVain: inVain, problems: problems)
        report.entraNames = LocalNames(on: machine, domains: domains).users.map(\.name)
        return report
    }

    /// The mapped accounts: their records are local, but no password and no key lets the user in.
    private func mapped(_ problems: inout [AuditProblem]) -> Set<String> {
        let list: MappingList
        do {
            list = try MappingList(parsing: Array(try machine.text(of: MappingList.path).utf8))
        } catch FileAbsence.absent {
            return []
        } catch {
            problems.append(AuditProblem(MappingList.path, "cannot be read"))
            return []
        }
        let files = [AccountFiles.passwd, "/etc/group"].map { Array(text(of: $0, &problems).utf8) }
        let local = LocalAccounts(passwd: files[0], group: files[1], mapped: list)
        return Set(local.mapped.map(\.person.name.text))
    }

    /// Programs that refuse the login and exit.
    private static let refusingShells = ["nologin", "false"]

    private func text(of path: String, _ problems: inout [AuditProblem]) -> String {
        do throws(FileAbsence) { return try machine.text(of: path) } catch {
            problems.append(AuditProblem(path, "cannot be read"))
            return ""
        }
    }

    private func look(
        at entry: AccountFiles.Entry,
        _ sshd: String?,
        _ account: inout AuditedAccount,
        _ problems: inout [AuditProblem]
    ) {
        let canRun = (try? machine.status(of: entry.shell)).map { $0.kind == .file && $0.mode & 0o111 != 0 } ?? false
        guard canRun else { return }
        account.hasEmptyPassword = entry.password == .empty
        if let sshd, let access = access(to: entry, sshd, &problems) {
            lookAtSSH(entry, access, &account, &problems)
        }
        guard entry.password != .locked, account.passwordOverSSH || !account.shellRefuses else { return }
        account.ways.append(.password)
    }

    private func access(
        to entry: AccountFiles.Entry,
        _ sshd: String,
        _ problems: inout [AuditProblem]
    ) -> SSHAccess? {
        // `-C` would read these characters as the end of the name.
        guard !entry.name.contains(where: { ",= \t".contains($0) }) else {
            problems.append(AuditProblem(AccountFiles.passwd, "sshd cannot be asked about a name like \(entry.name)"))
            return nil
        }
        let result = machine.run(sshd, ["-T", "-C", StackCheck.connection(of: entry.name)])
        let configuration = SSHDConfiguration(result.output)
        guard result.status == 0, !configuration.isEmpty else {
            problems.append(AuditProblem(sshd, "does not say what holds for \(entry.name)"))
            return nil
        }
        let groups = machine.run("/usr/bin/id", ["-Gn", "--", entry.name])
        let names = groups.output.split { $0 == " " || $0 == "\n" }.map(String.init)
        return SSHAccess(configuration, for: entry, groups: groups.status == 0 && !names.isEmpty ? names : nil)
    }

    private func lookAtSSH(
        _ entry: AccountFiles.Entry,
        _ access: SSHAccess,
        _ account: inout AuditedAccount,
        _ problems: inout [AuditProblem]
    ) {
        account.passwordOverSSH = entry.password != .locked && access.takesPassword
        lookAtKeysCommand(entry, access, &account)
        if let files = access.keyFiles {
            for file in files { count(file, &account, &problems) }
        } else {
            problems.append(AuditProblem("sshd", "AuthorizedKeysFile for \(entry.name) is not understood"))
        }
        if account.keys > 0 || account.hasKeysCommand { account.ways.append(.keys) }
        if access.takesCertificates { account.ways.append(.certificates) }
        if access.trustsHosts { account.ways.append(.hosts) }
        if access.asksKerberos { account.ways.append(.kerberos) }
    }

    /// Debian 13 and others set systemd's program, which prints the keys of a user record; so it is run. Any other
    /// program is unknown and counts as keys.
    private func lookAtKeysCommand(
        _ entry: AccountFiles.Entry,
        _ access: SSHAccess,
        _ account: inout AuditedAccount
    ) {
        account.hasKeysCommand = access.asksProgramForKeys
        guard access.asksProgramForKeys, access.asksUserDatabaseForKeys else { return }
        let answer = machine.run(SSHAccess.userDatabaseProgram, ["ssh-authorized-keys", "--", entry.name])
        guard answer.status == 0 else { return }
        let keys = KeyFile(answer.output)
        account.keys += keys.keys
        account.hasKeysCommand = keys.keys > 0 || !keys.strange.isEmpty
    }

    private func count(_ file: String, _ account: inout AuditedAccount, _ problems: inout [AuditProblem]) {
        do throws(FileAbsence) {
            let keys = KeyFile(try machine.text(of: file))
            account.keys += keys.keys
            account.keyFiles.append(file)
            problems += keys.strange.map { AuditProblem("\(file):\($0)", "neither a key nor a comment") }
        } catch .absent {
            return
        } catch {
            problems.append(AuditProblem(file, "cannot be read: whether \(account.name) has keys is not known"))
        }
    }

    private func askSudo(_ account: inout AuditedAccount, _ problems: inout [AuditProblem]) {
        guard let answer = SudoAnswer.ask(about: account.name, on: machine) else { return }
        account.sudo = answer.rights
        if answer.rights == .unknown {
            problems.append(AuditProblem("sudo", "does not say what \(account.name) may do"))
        }
        if answer.rights != .none { account.ways.append(.sudo) }
    }
}
