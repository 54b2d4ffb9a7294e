// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates a home as the session stage does (Sources/Programs/PAM/home.c): every folder above it must be writable by
/// root only, and at its path there must be the user's own folder, or nothing.
struct HomeRule: Sendable {
    /// Why the user gets no session with that home, and what to do.
    struct Obstacle: Hashable, Sendable {
        var text: String
        var place: String
        var remedy: String
    }

    /// A file system with less room cannot take a new home.
    private static let leastBytes: UInt64 = 1 << 20
    private static let leastFiles: UInt64 = 16

    let machine: any EnvironmentView

    /// What prevents a home at `path` for `uid`; nil if nothing does.
    func obstacle(at path: String, uid: UInt32) -> Obstacle? {
        if let above = obstacle(above: path) { return above }
        if machine.isLink(path) {
            return Obstacle(
                text: "\(path) is a link",
                place: path,
                remedy: "put the folder itself there, or use users set-home"
            )
        }
        let status: FileStatus
        do throws(FileAbsence) { status = try machine.status(of: path) } catch {
            guard error != .absent else { return nil }
            return Obstacle(text: "\(path) cannot be looked at", place: path, remedy: "ls -ld \(path)")
        }
        guard status.kind == .folder else {
            return Obstacle(text: "\(path) is no folder", place: path, remedy: "mv \(path) \(path).old")
        }
        // The session stage makes an unfinished home anew.
        guard status.owner == uid || machine.isUnfinishedHome(path, uid: uid) else {
            return Obstacle(
                text: "\(path) belongs to user \(status.owner), not to \(uid)",
                place: path,
                remedy:
                    "where all of it is this user's: chown -R \(uid):\(uid) \(path); otherwise: mv \(path) \(path).old"
            )
        }
        return nil
    }

    /// The first folder above `path` that is not root's own, or that others may write.
    func obstacle(above path: String) -> Obstacle? {
        for folder in HomeRule.folders(above: path) {
            guard let status = try? machine.status(of: folder) else { return nil }
            guard status.kind == .folder else {
                return Obstacle(text: "\(folder) is no folder", place: folder, remedy: "mv \(folder) \(folder).old")
            }
            guard status.owner == 0 else {
                return Obstacle(
                    text: "\(folder) belongs to user \(status.owner): homes lie in folders of root's only",
                    place: folder,
                    remedy: "chown root \(folder)"
                )
            }
            guard status.mode & 0o022 == 0 else {
                let mode = String(status.mode, radix: 8)
                return Obstacle(
                    text: "others than root may write \(folder) (mode \(mode)), and could put another's home there",
                    place: folder,
                    remedy: "chmod go-w \(folder)"
                )
            }
        }
        return nil
    }

    /// Why a new home cannot be made at `path`; nil if it can.
    func hindrance(toMaking path: String) -> Obstacle? {
        let folders = HomeRule.folders(above: path)
        guard let folder = folders.last(where: { machine.exists($0) }), let space = machine.space(of: folder) else {
            return nil
        }
        if space.isReadOnly {
            return Obstacle(
                text: "the file system of \(folder) is mounted read-only: no home can be made",
                place: folder,
                remedy: "mount -o remount,rw the file system that findmnt -T \(folder) names"
            )
        }
        let isFull = space.freeBytes < HomeRule.leastBytes
        guard isFull || space.totalFiles > 0 && space.freeFiles < HomeRule.leastFiles else { return nil }
        return Obstacle(
            text: "the file system of \(folder) is full: no home can be made",
            place: folder,
            remedy: "make room there: df -h \(folder); df -i \(folder)"
        )
    }

    /// From the root down to the folder that holds the last component.
    static func folders(above path: String) -> [String] {
        let parts = path.split(separator: "/").dropLast()
        return ["/"] + parts.indices.map { "/" + parts[parts.startIndex...$0].joined(separator: "/") }
    }
}

/// Evaluates the folder in which homes of new accounts are made (`HomeTemplate=`).
struct HomesRule: Sendable {
    /// As in the settings: `/home/%n`.
    let template: String

    func evaluate(_ machine: any EnvironmentView) -> [Finding] {
        // The part before the first folder that differs between users.
        let fixed = template.prefix { $0 != "%" }
        let folder = String(fixed[..<(fixed.lastIndex(of: "/") ?? fixed.startIndex)])
        let base = folder.isEmpty ? "/" : folder
        let rule = HomeRule(machine: machine)
        let sample = base == "/" ? "/sample" : "\(base)/sample"
        if let obstacle = rule.obstacle(above: sample) {
            return [finding(.error, "no Entra account can sign in: \(obstacle.text)", obstacle)]
        }
        if let obstacle = rule.hindrance(toMaking: sample) {
            let what = "sessions of those who sign in here for the first time have no home directory: \(obstacle.text)"
            return [finding(.warning, what, obstacle)]
        }
        guard machine.exists(base) else {
            let what = "\(base), in which homes are made, is not there: a disk that is not mounted?"
            let remedy = "mount the disk, or make the folder: mkdir -m 0755 -p \(base)"
            return [Finding(.homes, .warning, what, place: base, needed: "a folder of root's", remedy: remedy)]
        }
        return [Finding(.homes, .good, "homes can be made in \(base)")]
    }

    private func finding(_ severity: Severity, _ what: String, _ obstacle: HomeRule.Obstacle) -> Finding {
        Finding(
            .homes,
            severity,
            what,
            place: obstacle.place,
            needed: "folders that root owns and no other may write, with room",
            remedy: obstacle.remedy
        )
    }
}
