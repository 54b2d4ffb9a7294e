// SPDX-License-Identifier: Apache-2.0

/// The sshd that listens now, by its pid file, which it writes each time it has read its configuration.
///
/// `sshd -T` shows the configuration on disk; the listener uses the one that it read at its start or last reload. If
/// the two differ, a configuration that the check would reject may still be in force. So a listener is valid only if no
/// file that sshd reads has changed since, or if the listener was verified before the change.
package struct SSHDListener: Hashable, Sendable {
    package let pid: Int32
    /// When the pid file was written: nanoseconds since 1970.
    package let readAt: Int64

    package init(pid: Int32, readAt: Int64) {
        self.pid = pid
        self.readAt = readAt
    }

    /// Nil if no sshd listens itself (systemd hands it connections, or it has not started yet): the next sshd reads the
    /// configuration on disk.
    init?(pidFile: String?, on machine: any HostView) {
        guard let pidFile, pidFile != "none", let text = try? machine.text(of: pidFile),
            let status = try? machine.status(of: pidFile),
            let pid = Int32(text.lines[0]), machine.isRunning(pid: pid)
        else { return nil }
        self.init(pid: pid, readAt: status.modified)
    }

    func evaluate(_ files: [String], on machine: any HostView, trusting trusted: SSHDListener?) -> Finding {
        let changed = files.first { path in
            guard let status = try? machine.status(of: path) else { return true }
            return status.changed > readAt
        }
        guard let changed, trusted != self else {
            return Finding(.sshdRunning, .good, "the running sshd goes by a configuration that was checked")
        }
        return Finding(
            .sshdRunning,
            .error,
            "the running sshd (process \(pid)) read its configuration before this file changed",
            place: changed,
            needed: "an sshd that goes by what was checked",
            remedy: "systemctl reload ssh (or sshd), or kill -HUP \(pid); then entraloginctl stack --stamp"
        )
    }
}
