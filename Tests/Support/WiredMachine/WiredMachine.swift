// SPDX-License-Identifier: Apache-2.0

package import Doctor
internal import Glibc
package import Integration

/// A simulated machine that consists of texts: Debian 12 with entralogin set up. A test changes one thing in it.
package struct WiredMachine: EnvironmentView {
    package var texts: [String: String] = [
        "/etc/pam.d/sshd": Debian12.sshd,
        "/etc/pam.d/sudo": Debian12.sudo,
        "/etc/pam.d/common-account": Debian12.commonAccount,
        "/etc/pam.d/common-session": Debian12.commonSession,
        "/etc/pam.d/common-session-noninteractive": Debian12.commonSessionNoninteractive,
        "/etc/pam.d/common-auth": Debian12.commonAuth,
        "/etc/pam.d/common-password": Debian12.commonPassword,
        "/etc/nsswitch.conf": "passwd:         files systemd entralogin\ngroup:          files systemd entralogin\n",
        "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
        "/etc/ssh/sshd_config.d/00-entralogin.conf": Debian12.block(),
        "/etc/passwd": """
        root:x:0:0:root:/root:/bin/bash
        entralogin:x:997:997:Entra sign-in daemon:/var/lib/entralogin:/usr/sbin/nologin
        entralogin-ssh:x:996:996:Entra sign-in certificate check:/:/usr/sbin/nologin
        """,
        "/etc/sudoers.d/entralogin": "%entra_admins ALL=(ALL:ALL) NOPASSWD: ALL\n",
        "/usr/sbin/sshd": "",
        "/usr/bin/sudo": "",
        "/usr/lib/x86_64-linux-gnu/libnss_entralogin.so.2": "",
        "/usr/lib/x86_64-linux-gnu/security/pam_entralogin.so": "",
        "/usr/libexec/entralogin/authorized-principals": "",
        "/usr/libexec/entralogin/pam-probe": "",
    ]
    /// Statuses of paths that are not in `texts`, or whose status is not the default: mode 0644, owned by root.
    package var statuses: [String: FileStatus] = [
        "/usr/libexec/entralogin/authorized-principals": FileStatus(kind: .file, mode: 0o755),
        "/usr/libexec/entralogin/pam-probe": FileStatus(kind: .file, mode: 0o755),
        "/usr/sbin/sshd": FileStatus(kind: .file, mode: 0o755),
        "/usr/bin/sudo": FileStatus(kind: .file, mode: 0o4755),
        "/bin/bash": FileStatus(kind: .file, mode: 0o755),
        "/home": FileStatus(kind: .folder, mode: 0o755),
    ]
    package var links: Set<String> = []
    /// Homes that root began to make and never finished, and the uid that each was for.
    package var unfinishedHomes: [String: UInt32] = [:]
    package var configuration = Debian12.configuration
    /// The result of `sshd -T`; nil: status 0 with `configuration` as the output.
    package var result: ProgramResult?
    package var loaderComplaint: String?
    package var running: Set<Int32> = []
    /// The result of a program, by its path and first argument. Any other program has the result of `sshd -T`.
    package var programs: [String: ProgramResult] = [
        "/usr/bin/sudo --version": ProgramResult(status: 0, output: Debian12.sudoVersion)
    ]
    package var spaces: [String: FileSpace] = [:]
    /// Domains that sshd's Match block does not cover: for their users sshd accepts keys in their homes.
    package var uncovered: [String] = []

    package init() {}

    package func text(of path: String) throws(FileAbsence) -> String {
        guard let text = texts[path] else { throw .absent }
        return text
    }

    package func status(of path: String) throws(FileAbsence) -> FileStatus {
        if let status = statuses[path] { return status }
        if texts[path] != nil { return FileStatus(kind: .file) }
        guard path == "/" || texts.keys.contains(where: { $0.hasPrefix("\(path)/") }) else { throw .absent }
        return FileStatus(kind: .folder, mode: 0o755)
    }

    /// As glob(3): finds a hidden file only if the pattern names the dot. A folder exists if a file in it exists.
    package func paths(matching pattern: String) -> [String] {
        let depth = pattern.split(separator: "/").count
        let there = texts.keys.map { "/" + $0.split(separator: "/").prefix(depth).joined(separator: "/") }
        return Set(there).filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
    }

    package func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        if let told = programs[([path] + arguments.prefix(1)).joined(separator: " ")] { return told }
        if path == PAMTransaction.program { return libpam(arguments) }
        if uncovered.contains(where: { arguments.last?.contains("@\($0),") == true }) {
            let keys = ("authorizedkeysfile none", "authorizedkeysfile .ssh/authorized_keys")
            return ProgramResult(status: 0, output: configuration.replacing(keys.0, with: keys.1))
        }
        return result ?? ProgramResult(status: 0, output: configuration)
    }

    /// What libpam 1.5.2 answers in the account stage on a machine that is set up: PAM_USER_UNKNOWN.
    private func libpam(_ arguments: [String]) -> ProgramResult {
        let folder = "/usr/lib/x86_64-linux-gnu/security"
        let modules = ["pam_unix.so", "pam_entralogin.so"].map { "module \(folder)/\($0)\n" }
        return ProgramResult(status: 0, output: "mark reached\nresult 10\n" + modules.joined())
    }

    package func complaintOnLoading(module path: String) -> String? { loaderComplaint }

    package func isRunning(pid: Int32) -> Bool { running.contains(pid) }

    package func space(of folder: String) -> FileSpace? { spaces[folder] }

    package func isLink(_ path: String) -> Bool { links.contains(path) }

    package func isUnfinishedHome(_ path: String, uid: UInt32) -> Bool { unfinishedHomes[path] == uid }

    /// The findings that prevent sign-in.
    package var errors: [Finding] { StackCheck(on: self).run().findings.filter { $0.severity == .error } }
}
