// SPDX-License-Identifier: Apache-2.0

internal import CSystemd
internal import Glibc

/// Reports the service's state to systemd (sd_notify(3)). Without `NOTIFY_SOCKET` every call does nothing.
package struct ServiceNotifier: Sendable {
    package init() {}

    /// The service is up. `status` is the line that `systemctl status` shows.
    package func ready(status: String) { send("READY=1\nSTATUS=\(oneLine(status))") }

    package func status(_ text: String) { send("STATUS=\(oneLine(text))") }

    /// The settings are being read again; `ready` ends it (Type=notify-reload wants the time, others ignore it).
    package func reloading() {
        // CLOCK_MONOTONIC, by which systemd tells an old message from a new one: not the clock of deadlines here.
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    package func stopping() { send("STOPPING=1") }

    /// Still alive. To be sent at least once in each `watchdogInterval`.
    package func watchdog() { send("WATCHDOG=1") }

    /// Half of what systemd allows between two watchdog messages (sd_watchdog_enabled(3)); nil where it does not watch.
    package var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds / 2))
    }

    private func send(_ state: String) { _ = sd_notify(0, state) }

    /// A newline would begin another assignment.
    private func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 }.prefix(200))
    }
}

/// The sockets that systemd opened for this service, and what is in its descriptor store (sd_listen_fds_with_names(3)).
/// Each descriptor gets one owner.
package enum InheritedSockets {
    /// First of the inherited descriptors (SD_LISTEN_FDS_START).
    private static let first: Int32 = 3

    /// Takes all of them: name (`FileDescriptorName=`, or as stored) and descriptor. To be called once, by the main
    /// thread before any other is started; the variables are removed from the environment.
    package static func take() -> [(name: String, descriptor: Int32)] {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count > 0 else { return [] }
        defer {
            for index in 0..<Int(count) { free(names?[index]) }
            free(names)
        }
        return (0..<Int(count)).map { index in
            let name = names?[index].map { String(cString: $0) } ?? ""
            return (name, first + Int32(index))
        }
    }
}

/// What logind knows (sd-login(3)).
package enum LoginSessions {
    /// True where `uid` has a login session that has not ended; false too where logind is not there.
    package static func exist(for uid: UInt32) -> Bool { sd_uid_get_sessions(uid, 0, nil) > 0 }
}
