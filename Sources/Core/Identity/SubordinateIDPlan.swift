// SPDX-License-Identifier: Apache-2.0

/// Which accounts have which subordinate ids, which get some, and which cannot (subuid(5), subgid(5)): a pure function
/// of the two files and of the other users of numbers here. The lines are the only record: an account keeps what it
/// has, and the lines of retired accounts stay, so that no other account gets their numbers.
package struct SubordinateIDPlan: Sendable {
    /// The default numbers for ranges: above what useradd(8) and LXD assign, below the numbers of Entra accounts.
    /// systemd (UIDS-GIDS) leaves these numbers to containers.
    package static let standardNumbers: ClosedRange<UInt32> = 1_073_741_824...1_879_048_191

    /// An account that is not retired.
    package struct Holder: Hashable, Sendable {
        package let name: SystemName
        package let uid: UInt32
        package let formerNames: [SystemName]

        /// `formerNames`: all names under which lines may still list it, oldest first.
        package init(name: SystemName, uid: UInt32, formerNames: [SystemName] = []) {
            self.name = name
            self.uid = uid
            self.formerNames = formerNames
        }

        package init(name: UserName, uid: UInt32, formerNames: [UserName] = []) {
            self.init(name: SystemName(name), uid: uid, formerNames: formerNames.map(SystemName.init))
        }
    }

    /// Why an account has no ranges that work, or gets none.
    package enum Refusal: Hashable, Sendable {
        /// No range is free.
        case exhausted
        /// It has lines by name and by number: newuidmap(1) maps no number twice, so podman fails.
        case twoForms
        /// It has lines in this file only, and cannot get their numbers in the other file.
        case half(path: String)
    }

    package enum Outcome: Hashable, Sendable {
        case has(ClosedRange<UInt32>)
        case gets(ClosedRange<UInt32>)
        case refused(Refusal)
    }

    package static let userFile = "/etc/subuid"
    package static let groupFile = "/etc/subgid"

    /// In the order of enrolment.
    package let outcomes: [(name: SystemName, outcome: Outcome)]
    /// The files with the plan carried out.
    package let users: SubordinateIDFile
    package let groups: SubordinateIDFile
    /// Ranges that are still free then.
    package let freeCount: Int

    /// `numbers`: from which ranges are assigned; `taken`: numbers used by others, apart from the lines. The account
    /// that was enrolled first gets its range first.
    package init(
        for holders: [Holder],
        users oldUsers: SubordinateIDFile,
        groups oldGroups: SubordinateIDFile,
        numbers: ClosedRange<UInt32>,
        taken: [ClosedRange<UInt32>]
    ) {
        let renames = SubordinateIDPlan.renames(holders, oldUsers, oldGroups)
        let (users, groups) = (oldUsers.renaming(renames), oldGroups.renaming(renames))
        let known = Lines(users: users, groups: groups)
        var slots = Slots(numbers)
        for range in taken + known.all { slots.take(range) }
        var outcomes: [(name: SystemName, outcome: Outcome)] = []
        var newUsers: [(owner: SystemName, first: UInt32)] = []
        var newGroups: [(owner: SystemName, first: UInt32)] = []
        for holder in holders {
            let outcome: Outcome
            switch known.state(of: holder, beside: taken) {
            case .settled(let settled): outcome = settled
            case .missing(let first, let isInUsers):
                outcome = .gets(SubordinateIDPlan.range(first))
                if isInUsers { newGroups.append((holder.name, first)) } else { newUsers.append((holder.name, first)) }
            case .none:
                guard let first = slots.draw(for: holder.uid) else {
                    outcome = .refused(.exhausted)
                    break
                }
                outcome = .gets(SubordinateIDPlan.range(first))
                newUsers.append((holder.name, first))
                newGroups.append((holder.name, first))
            }
            outcomes.append((holder.name, outcome))
        }
        self.outcomes = outcomes
        self.users = users.adding(newUsers)
        self.groups = groups.adding(newGroups)
        freeCount = slots.freeCount
    }

    static func range(_ first: UInt32) -> ClosedRange<UInt32> { first...first + (SubordinateIDFile.rangeSize - 1) }

    /// Lines under a former name move to the account's new name if that has none.
    private static func renames(
        _ holders: [Holder],
        _ users: SubordinateIDFile,
        _ groups: SubordinateIDFile
    ) -> [String: SystemName] {
        let owners = Set((users.lines + groups.lines).map(\.owner))
        var renames: [String: SystemName] = [:]
        for holder in holders where !holder.formerNames.isEmpty && !owners.contains(holder.name.text) {
            // The last former name with lines: several names would give it several ranges.
            guard let former = holder.formerNames.last(where: { owners.contains($0.text) }) else { continue }
            renames[former.text] = holder.name
        }
        return renames
    }
}

/// The lines of both files by their owners.
private struct Lines {
    private let users: [String: [SubordinateIDFile.Line]]
    private let groups: [String: [SubordinateIDFile.Line]]
    private let lines: [SubordinateIDFile.Line]

    /// What the lines say of one account.
    enum State {
        case settled(SubordinateIDPlan.Outcome)
        /// A line that entralogin wrote is in one file only, as after a crash between the two writes.
        case missing(first: UInt32, isInUsers: Bool)
        case none
    }

    init(users: SubordinateIDFile, groups: SubordinateIDFile) {
        self.users = Dictionary(grouping: users.lines, by: \.owner)
        self.groups = Dictionary(grouping: groups.lines, by: \.owner)
        lines = users.lines + groups.lines
    }

    var all: [ClosedRange<UInt32>] { lines.map(\.range) }

    func state(of holder: SubordinateIDPlan.Holder, beside taken: [ClosedRange<UInt32>]) -> State {
        let (name, number) = (holder.name.text, String(holder.uid))
        let byName = (users[name] ?? [], groups[name] ?? [])
        let byNumber = (users[number] ?? [], groups[number] ?? [])
        let hasName = !byName.0.isEmpty || !byName.1.isEmpty
        let hasNumber = !byNumber.0.isEmpty || !byNumber.1.isEmpty
        guard hasName || hasNumber else { return .none }
        guard !(hasName && hasNumber) else { return .settled(.refused(.twoForms)) }
        let found = hasName ? byName : byNumber
        if let first = found.0.first, !found.1.isEmpty { return .settled(.has(first.range)) }
        let isInUsers = !found.0.isEmpty
        let path = isInUsers ? SubordinateIDPlan.userFile : SubordinateIDPlan.groupFile
        let own = found.0 + found.1
        guard hasName, own.count == 1, let range = own.first?.range,
            range.upperBound - range.lowerBound == SubordinateIDFile.rangeSize - 1,
            !taken.contains(where: range.overlaps),
            !lines.contains(where: { $0.owner != name && $0.range.overlaps(range) })
        else { return .settled(.refused(.half(path: path))) }
        return .missing(first: range.lowerBound, isInUsers: isInUsers)
    }
}

/// The ranges that can be assigned, side by side from the first number on.
private struct Slots {
    private let first: UInt32
    private var isTaken: [Bool]
    private(set) var freeCount: Int

    init(_ numbers: ClosedRange<UInt32>) {
        first = numbers.lowerBound
        freeCount = Int((UInt64(numbers.upperBound - first) + 1) / UInt64(SubordinateIDFile.rangeSize))
        isTaken = Array(repeating: false, count: freeCount)
    }

    mutating func take(_ range: ClosedRange<UInt32>) {
        guard range.upperBound >= first, !isTaken.isEmpty else { return }
        let size = SubordinateIDFile.rangeSize
        let low = Int((max(range.lowerBound, first) - first) / size)
        let high = min(Int((range.upperBound - first) / size), isTaken.count - 1)
        guard low <= high else { return }
        for index in low...high where !isTaken[index] {
            isTaken[index] = true
            freeCount -= 1
        }
    }

    /// The first free range at or after the one that the uid selects: the same on every machine without collisions, and
    /// again if a line was lost.
    mutating func draw(for uid: UInt32) -> UInt32? {
        guard freeCount > 0 else { return nil }
        let start = Int(uid % UInt32(isTaken.count))
        for step in 0..<isTaken.count {
            let index = (start + step) % isTaken.count
            guard !isTaken[index] else { continue }
            isTaken[index] = true
            freeCount -= 1
            return first + UInt32(index) * SubordinateIDFile.rangeSize
        }
        return nil
    }
}
