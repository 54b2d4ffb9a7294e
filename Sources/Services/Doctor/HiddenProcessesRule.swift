// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates whether /proc hides other users' processes (`hidepid=`, proc(5)). The daemon is not root. Before Linux 5.3
/// it needs /proc to see whether an sshd that verified a certificate still lives; since then it has pidfds, and only
/// the ending of sessions needs /proc.
struct HiddenProcessesRule: Sendable {
    private static let firstWithDescriptors = (5, 3)

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard let mounts = try? machine.text(of: "/proc/self/mountinfo"),
            let option = HiddenProcessesRule.option(in: mounts)
        else { return [] }
        let release = (try? machine.text(of: "/proc/sys/kernel/osrelease")) ?? ""
        let keepsOut = HiddenProcessesRule.isOlder(release)
        return [
            Finding(
                .procHidden,
                keepsOut ? .error : .warning,
                keepsOut
                    ? "/proc hides processes, and this kernel has no pidfds: no Entra account can sign in"
                    : "/proc hides processes of other users: sessions of an account cannot be ended",
                place: "/proc",
                needed: "a /proc without \(option)",
                remedy: "mount -o remount,hidepid=0 /proc, and take hidepid= out of /etc/fstab",
                keepsOut: keepsOut ? .everybody : nil
            )
        ]
    }

    /// `hidepid=…` of the last mount on /proc, a number or, since Linux 5.8, a word; nil if it hides nothing.
    static func option(in mounts: String) -> String? {
        let last = mounts.lines.last { line in
            let words = line.split(separator: " ")
            return words.count > 4 && words[4] == "/proc"
        }
        // After the dash: type, source, and the options of the file system.
        guard let words = last?.split(separator: " "), let dash = words.firstIndex(of: "-"), words.count > dash + 3
        else {
            return nil
        }
        let option = words[dash + 3].split(separator: ",").first { $0.hasPrefix("hidepid=") }
        return option.flatMap { ["hidepid=0", "hidepid=off"].contains($0) ? nil : String($0) }
    }

    private static func isOlder(_ release: String) -> Bool {
        let parts = release.split(separator: ".", maxSplits: 2).map { Int($0.prefix { $0.isNumber }) }
        guard parts.count >= 2, let major = parts[0], let minor = parts[1] else { return false }
        return (major, minor) < firstWithDescriptors
    }
}
