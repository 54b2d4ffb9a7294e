// SPDX-License-Identifier: Apache-2.0

package import Identity
package import LinuxSystem

/// Root's side of `SubordinateIDs=yes`: updates /etc/subuid and /etc/subgid, under the lock that useradd(8) and similar
/// programs take. Each file is replaced as a whole; other lines stay as they are. A crash between the two leaves a line
/// in one, which the next run completes.
package struct SubordinateIDWriter: Sendable {
    /// Why nothing was written, or not all of it.
    package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case obstacle(SubordinateIDs.Obstacle)
        /// Another program holds the lock of the account files, or this one may not take it.
        case locked(Errno)
        case file(String)

        package var description: String {
            switch self {
            case .obstacle(let obstacle): obstacle.text
            case .locked(let errno): "the account files cannot be locked (lckpwdf): \(errno)"
            case .file(let text): text
            }
        }
    }

    private let users: AtomicFile
    private let groups: AtomicFile
    private let requirement: FileRequirement
    private let locks: Bool

    /// The machine's own files.
    package init() {
        self.init(
            users: AtomicFile(SubordinateIDPlan.userFile),
            groups: AtomicFile(SubordinateIDPlan.groupFile),
            owner: 0,
            locks: true
        )
    }

    /// For tests: other files, another owner and no lock.
    package init(users: AtomicFile, groups: AtomicFile, owner: UInt32, locks: Bool) {
        self.users = users
        self.groups = groups
        requirement = .owned(by: owner)
        self.locks = locks
    }

    /// Writes what is missing, and returns the plan once it is on disk.
    package func write(_ ids: SubordinateIDs, on machine: any HostView) throws(Failure) -> SubordinateIDPlan {
        guard locks else { return try writeNow(ids, machine) }
        let lock: AccountFilesLock
        do throws(Errno) { lock = try AccountFilesLock() } catch { throw .locked(error) }
        let result = Result { () throws(Failure) in try writeNow(ids, machine) }
        _ = consume lock
        return try result.get()
    }

    private func writeNow(_ ids: SubordinateIDs, _ machine: any HostView) throws(Failure) -> SubordinateIDPlan {
        let (oldUsers, oldGroups) = (try read(users), try read(groups))
        let plan: SubordinateIDPlan
        do throws(SubordinateIDs.Obstacle) {
            plan = try ids.plan(on: machine, users: oldUsers ?? [], groups: oldGroups ?? [])
        } catch {
            throw .obstacle(error)
        }
        try replace(users, oldUsers, plan.users.bytes)
        try replace(groups, oldGroups, plan.groups.bytes)
        return plan
    }

    /// Nil if there is no file.
    private func read(_ file: AtomicFile) throws(Failure) -> [UInt8]? {
        do throws(FileError) { return try file.read(limit: SubordinateIDs.fileLimit, requiring: requirement) } catch {
            guard error.isAbsent else { throw .file("\(error)") }
            return nil
        }
    }

    private func replace(_ file: AtomicFile, _ old: [UInt8]?, _ new: [UInt8]) throws(Failure) {
        guard new != old ?? [] else { return }
        do throws(FileError) {
            if old == nil {
                try file.replace(with: new, mode: 0o644)
            } else {
                try file.replaceKeepingAttributes(with: new)
            }
        } catch {
            throw .file("\(error)")
        }
    }
}

extension SubordinateIDs.Obstacle {
    /// One sentence.
    package var text: String {
        switch self {
        case .otherSource(let source, let place):
            "subordinate ids come from \(source) here (\(place)): lines of /etc/subuid count for nothing"
        case .otherDirectory(let other, let place):
            "the name service \(other) (\(place)) may have any number, and SubordinateIDRange= names none that are free"
        case .unreadable(let path): "\(path) cannot be read"
        }
    }

    package var remedy: String {
        switch self {
        case .otherSource:
            "take the line subid: out of nsswitch.conf, or set SubordinateIDs=no and have that service give ranges"
        case .otherDirectory:
            "SubordinateIDRange=first-last in entralogin.conf, with numbers that no other directory gives out"
        case .unreadable(let path): "see why root cannot read \(path), which must be a plain file of 16 MiB at most"
        }
    }
}

extension SubordinateIDPlan.Refusal {
    /// One sentence about an account, without its name.
    package var text: String {
        switch self {
        case .exhausted: "every range of SubordinateIDRange= is taken"
        case .twoForms: "has lines by name and by number, and newuidmap maps no number twice"
        case .half(let path): "has lines in \(path) alone, and their numbers are not free in the other file"
        }
    }
}
