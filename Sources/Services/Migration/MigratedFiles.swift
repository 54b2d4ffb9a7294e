// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// The account files before accounts are mapped, and what they would be afterwards.
struct MigratedFiles {
    let passwd: [UInt8]
    let group: [UInt8]
    let list: MappingList
    let local: LocalAccounts

    init(passwd: [UInt8], group: [UInt8], list: MappingList) {
        self.passwd = passwd
        self.group = group
        self.list = list
        local = LocalAccounts(passwd: passwd, group: group, mapped: list)
    }

    /// The lines for the accounts that are not mapped yet.
    func lines(mapping accounts: [OldAccount]) -> MappingLines {
        MappingLines(accounts.filter { local.mapped(named: $0.name) == nil }, groupNames: local.groupNames)
    }

    /// Reads the resulting files as the daemon will: an account that would not be mapped then is a conflict.
    func contradictions(with lines: MappingLines, _ accounts: [OldAccount]) -> [MigrationConflict] {
        guard let sum = MappingList(list.people + lines.people.filter { !list.people.contains($0) }) else {
            return [
                MigrationConflict(
                    place: MappingList.path,
                    text: "has one of these names, object ids or numbers for another user",
                    remedy: "find out whose it is; remove the line there or here"
                )
            ]
        }
        let after = LocalAccounts(
            passwd: MappingLines.adding(lines.passwd, to: passwd),
            group: MappingLines.adding(lines.group, to: group),
            mapped: sum
        )
        return accounts.compactMap { account in
            guard let mismatch = after.mismatches[account.name] else { return nil }
            return MigrationConflict(
                place: account.place,
                text: "\(account.name) cannot be mapped: \(mismatch)",
                remedy: "fix that file; then ask for the plan again"
            )
        }
    }
}
