// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// Evaluates owner and mode of entralogin's files: settings, state, sockets. The modules do not use a socket that
/// another user could have put there, and the daemon does not read a file that others may write.
struct StateFilesRule: Sendable {
    private struct Need {
        var path: String
        /// A local user; its number is looked up in /etc/passwd.
        var owner: String
        /// Bits of the mode that must not be set.
        var forbidden: UInt32
        /// A finding if it is missing.
        var mustExist: Bool
        /// Bits of the mode that users' programs need to see names.
        var required: UInt32 = 0
        /// Who cannot sign in if it is missing, or closed to users.
        var keepsOut: KeptOut?
        /// Who cannot sign in if it belongs to another user: a daemon that cannot write still knows the enrolled
        /// accounts.
        var keepsOutAsAnothers: KeptOut?
        /// The units that make it anew.
        var maker = "entralogind-control.socket entralogind-principals.socket entralogind"
        /// What goes wrong if no user is kept out.
        var harm = ""
    }

    private static let needs = [
        Need(path: "/etc/entralogin", owner: "root", forbidden: 0o022, mustExist: false),
        Need(path: "/etc/entralogin/entralogin.conf", owner: "root", forbidden: 0o022, mustExist: false),
        Need(path: "/etc/entralogin/entralogin.conf.d", owner: "root", forbidden: 0o022, mustExist: false),
        folder("/var/lib/entralogin", owner: "entralogin", searched: true, keepsOut: .everybody),
        Need(path: "/var/lib/entralogin/accounts", owner: "entralogin", forbidden: 0o022, mustExist: false),
        groupNumbers("/var/lib/entralogin/groups"),
        groupNumbers("/var/lib/entralogin/groups-given"),
        folder("/var/lib/entralogin/nss", owner: "entralogin", searched: true, keepsOut: .everybody),
        Need(
            path: "/var/lib/entralogin/nss/accounts.snapshot",
            owner: "entralogin",
            forbidden: 0o022,
            mustExist: false,
            required: 0o044
        ),
        folder("/var/lib/entralogin/ssh", owner: "entralogin"),
        Need(path: AuthorityCopy.source, owner: "entralogin", forbidden: 0o022, mustExist: false),
        Need(
            path: "/var/lib/entralogin-sshd",
            owner: "root",
            forbidden: 0o022,
            mustExist: true,
            maker: "entralogin-keys.service"
        ),
        Need(path: AuthorityCopy.path, owner: "root", forbidden: 0o022, mustExist: false),
        folder("/run/entralogin", owner: "root", searched: true, keepsOut: .everybody),
        Need(
            path: "/run/entralogin/nss",
            owner: "entralogin",
            forbidden: 0o022,
            mustExist: true,
            required: 0o011,
            harm: ": administrators get no sudo"
        ),
        socket("control", forbidden: 0o077, keepsOut: .everybody),
        socket("principals", forbidden: 0o007, keepsOut: .everybody),
        socket("audit", forbidden: 0o077),
        socket("sessions", forbidden: 0o077),
    ]

    private static func groupNumbers(_ path: String) -> Need {
        let harm = ": no Entra group is a Unix group"
        return Need(path: path, owner: "entralogin", forbidden: 0o022, mustExist: false, harm: harm)
    }

    /// `searched`: users' programs search the folder.
    private static func folder(_ path: String, owner: String, searched: Bool = false, keepsOut: KeptOut? = nil) -> Need
    {
        Need(
            path: path,
            owner: owner,
            forbidden: 0o022,
            mustExist: true,
            required: searched ? 0o011 : 0,
            keepsOut: keepsOut,
            keepsOutAsAnothers: owner == "root" ? keepsOut : keepsOut.map { _ in .newcomers }
        )
    }

    /// The sockets that sign-in needs must exist.
    private static func socket(
        _ name: String,
        forbidden: UInt32,
        keepsOut: KeptOut? = nil
    ) -> Need {
        Need(
            path: "/run/entralogin/\(name).sock",
            owner: "entralogin",
            forbidden: forbidden,
            mustExist: keepsOut != nil,
            keepsOut: keepsOut,
            keepsOutAsAnothers: keepsOut
        )
    }

    func evaluate(_ machine: any HostView) -> [Finding] {
        let passwd = Array(((try? machine.text(of: "/etc/passwd")) ?? "").utf8)
        let found = StateFilesRule.needs.compactMap {
            evaluate($0, StateFilesRule.uid(of: $0.owner, in: passwd), machine)
        }
        return found.isEmpty
            ? [Finding(.files, .good, "entralogin's files and sockets have their owners and modes")] : found
    }

    private func evaluate(_ need: Need, _ uid: UInt32?, _ machine: any HostView) -> Finding? {
        guard let status = try? machine.status(of: need.path) else {
            guard need.mustExist else { return nil }
            return finding(need, "is missing", remedy: "systemctl restart \(need.maker)", need.keepsOut)
        }
        // Root may always own it; an unknown daemon user is reported elsewhere.
        if let uid, status.owner != uid, status.owner != 0 || need.owner == "root" {
            let what = "belongs to user \(status.owner)"
            return finding(need, what, remedy: "chown \(need.owner) \(need.path)", need.keepsOutAsAnothers)
        }
        guard status.mode & need.forbidden == 0 else {
            return finding(
                need,
                "has mode \(String(status.mode, radix: 8)): others may change or use it",
                remedy: "chmod \(String(status.mode & ~need.forbidden, radix: 8)) \(need.path)"
            )
        }
        guard status.mode & need.required == need.required else {
            return finding(
                need,
                "has mode \(String(status.mode, radix: 8)): programs of users see no Entra accounts",
                remedy: "chmod \(String(status.mode | need.required, radix: 8)) \(need.path)",
                need.keepsOut
            )
        }
        return nil
    }

    private func finding(_ need: Need, _ what: String, remedy: String, _ keepsOut: KeptOut? = nil) -> Finding {
        Finding(
            .files,
            keepsOut == nil ? .warning : .error,
            what + need.harm,
            place: need.path,
            needed: "it is \(need.owner)'s alone",
            remedy: remedy,
            keepsOut: keepsOut
        )
    }

    private static func uid(of user: String, in passwd: [UInt8]) -> UInt32? {
        user == "root" ? 0 : LocalAccounts.uid(of: user, in: passwd)
    }
}
