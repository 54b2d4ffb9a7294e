// SPDX-License-Identifier: Apache-2.0

package import Identity
internal import LinuxSystem

/// Which accounts have subordinate ids here, which get some and which cannot, by the machine's own files
/// (`SubordinateIDs=`). Root's tool writes the result; `doctor` reports it.
package struct SubordinateIDs: Sendable {
    /// Why no account gets any.
    package enum Obstacle: Error, Hashable, Sendable {
        /// nsswitch.conf(5) makes shadow's programs ask another source, so that the files' lines have no effect.
        case otherSource(String, place: String)
        /// Another directory may have any number, and no range is set.
        case otherDirectory(String, place: String)
        /// The file cannot be read, so the numbers in use cannot be known.
        case unreadable(path: String)
    }

    /// Limit in bytes of subuid(5), subgid(5) and the local account files.
    static let fileLimit = 16 << 20
    /// How many processes' maps of user namespaces are read.
    private static let processLimit = 32_768

    /// The range of `SubordinateIDRange=`; nil: the standard one.
    let numbers: ClosedRange<UInt32>?
    /// `ShortNames=`.
    let shortNameDomain: String?

    package init(numbers: ClosedRange<UInt32>?, shortNameDomain: String? = nil) {
        self.numbers = numbers
        self.shortNameDomain = shortNameDomain
    }

    /// The plan for the machine as it is. Changes nothing.
    package func plan(on machine: any HostView) throws(Obstacle) -> SubordinateIDPlan {
        func bytes(_ path: String) throws(Obstacle) -> [UInt8] {
            do throws(FileAbsence) { return Array(try machine.text(of: path, limit: Self.fileLimit).utf8) } catch {
                guard error == .absent else { throw .unreadable(path: path) }
                return []
            }
        }
        return try plan(
            on: machine,
            users: try bytes(SubordinateIDPlan.userFile),
            groups: try bytes(SubordinateIDPlan.groupFile)
        )
    }

    /// The same with the bytes of the two files.
    func plan(on machine: any HostView, users: [UInt8], groups: [UInt8]) throws(Obstacle) -> SubordinateIDPlan {
        try checkSources(machine)
        let local = try locals(machine)
        return SubordinateIDPlan(
            for: try holders(machine, local),
            users: SubordinateIDFile(parsing: users),
            groups: SubordinateIDFile(parsing: groups),
            numbers: numbers ?? SubordinateIDPlan.standardNumbers,
            taken: (Array(local.uids) + Array(local.gids)).map { $0...$0 } + containers(machine) + unmapped(machine)
        )
    }

    private func checkSources(_ machine: any HostView) throws(Obstacle) {
        // Without the file, glibc and shadow use their default, the local files.
        guard let text = try? machine.text(of: NameServiceRule.path) else { return }
        let databases = NameServiceRule.databases(of: text)
        if let line = databases["subid"], let source = line.words.first(where: { $0 != "files" }) {
            throw .otherSource(source, place: "\(NameServiceRule.path):\(line.number)")
        }
        let local: Set = ["files", "compat", "entralogin", "entralogin_short", "systemd", "mymachines", "altfiles"]
        guard numbers == nil, let line = databases["passwd"],
            let other = line.words.first(where: { !$0.hasPrefix("[") && !local.contains($0) })
        else { return }
        throw .otherDirectory(other, place: "\(NameServiceRule.path):\(line.number)")
    }

    private func locals(_ machine: any HostView) throws(Obstacle) -> LocalAccounts {
        func bytes(_ path: String) throws(Obstacle) -> [UInt8] {
            do throws(FileAbsence) { return Array(try machine.text(of: path, limit: Self.fileLimit).utf8) } catch {
                throw .unreadable(path: path)
            }
        }
        return LocalAccounts(passwd: try bytes("/etc/passwd"), group: try bytes("/etc/group"))
    }

    /// The accounts in the daemon's store (StoreFormat of AccountDirectory). The daemon's user writes it: only its
    /// shape is relied on, and local accounts are left out (P7). So mapped accounts keep useradd's lines.
    private func holders(
        _ machine: any HostView,
        _ local: LocalAccounts
    ) throws(Obstacle) -> [SubordinateIDPlan.Holder] {
        let text: String
        do throws(FileAbsence) {
            text = try machine.text(of: CoveredDomains.accounts, limit: CoveredDomains.accountsLimit)
        } catch {
            guard error == .absent else { throw .unreadable(path: CoveredDomains.accounts) }
            return []
        }
        return text.lines.compactMap { line in
            guard let holder = holder(line), !local.claims(holder.name) else { return nil }
            let former = holder.formerNames.filter { !local.claims($0) }
            return SubordinateIDPlan.Holder(name: holder.name, uid: holder.uid, formerNames: former)
        }
    }

    /// The whole or short name that is not in force counts as a former one, so that its line follows `ShortNames=`.
    func holder(_ line: Substring) -> SubordinateIDPlan.Holder? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 11, words[0] == "account", words[6] == "retired=-", words[2].hasPrefix("uid="),
            words[9].hasPrefix("former="), let name = UserName(String(words[1])),
            let uid = UInt32(words[2].dropFirst(4)), PosixID(user: uid) != nil
        else { return nil }
        let former = words[9].dropFirst(7).split(separator: ",").compactMap { UserName(String($0)) }
        guard words.dropFirst(11).contains("short=yes"), let short = ShortName(name.localPart) else {
            return SubordinateIDPlan.Holder(name: name, uid: uid, formerNames: former)
        }
        let isShort = name.shortName(in: shortNameDomain) == short
        let (now, other) = isShort ? (SystemName(short), SystemName(name)) : (SystemName(name), SystemName(short))
        return SubordinateIDPlan.Holder(name: now, uid: uid, formerNames: former.map(SystemName.init) + [other])
    }

    // MARK: Numbers without a line

    /// The numbers of running containers (systemd-nspawn, nsresourced), by the maps of all processes, and of
    /// systemd-nspawn's images on the disk. A map with an Entra account's number is its own container, and uses its
    /// line.
    private func containers(_ machine: any HostView) -> [ClosedRange<UInt32>] {
        let maps = ["uid_map", "gid_map"].flatMap { name in
            machine.paths(matching: "/proc/[0-9]*/\(name)").prefix(Self.processLimit)
        }
        var seen: Set<String> = []
        let living = maps.flatMap { path -> [ClosedRange<UInt32>] in
            guard let text = try? machine.text(of: path), seen.insert(text).inserted else { return [] }
            let ranges = SubordinateIDs.map(text).map(\.outside)
            let isOwn = ranges.contains { $0.count == 1 && PosixID(user: $0.lowerBound) != nil }
            return isOwn || ranges.contains(where: { $0.count > 1 << 31 }) ? [] : ranges
        }
        let images = machine.paths(matching: "/var/lib/machines/*").compactMap { path -> ClosedRange<UInt32>? in
            guard let status = try? machine.status(of: path), status.owner > UInt32(UInt16.max) else { return nil }
            let first = status.owner & ~UInt32(UInt16.max)
            return first...first | UInt32(UInt16.max)
        }
        return living + images
    }

    /// Numbers that this user namespace does not have: nothing can be mapped to them.
    private func unmapped(_ machine: any HostView) -> [ClosedRange<UInt32>] {
        ["/proc/self/uid_map", "/proc/self/gid_map"].flatMap { path -> [ClosedRange<UInt32>] in
            guard let text = try? machine.text(of: path) else { return [] }
            let mapped = SubordinateIDs.map(text).map(\.inside).sorted { $0.lowerBound < $1.lowerBound }
            guard !mapped.isEmpty else { return [] }
            var next: UInt64 = 0
            var gaps: [ClosedRange<UInt32>] = []
            for range in mapped {
                if UInt64(range.lowerBound) > next { gaps.append(UInt32(next)...range.lowerBound - 1) }
                next = max(next, UInt64(range.upperBound) + 1)
            }
            if next < UInt64(UInt32.max) { gaps.append(UInt32(next)...UInt32.max) }
            return gaps
        }
    }

    /// Each line: the first number inside, the first outside, how many (user_namespaces(7)).
    private static func map(_ text: String) -> [(inside: ClosedRange<UInt32>, outside: ClosedRange<UInt32>)] {
        text.lines.compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }.compactMap { UInt32($0) }
            guard words.count == 3, words[2] > 0, let inside = end(words[0], words[2]),
                let outside = end(words[1], words[2])
            else { return nil }
            return (words[0]...inside, words[1]...outside)
        }
    }

    private static func end(_ first: UInt32, _ count: UInt32) -> UInt32? {
        let (end, overflow) = first.addingReportingOverflow(count - 1)
        return overflow ? nil : end
    }
}
