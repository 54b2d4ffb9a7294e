// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// The account files before accounts are mapped, and what they would be afterwards.
struct MigratedFiles {
    let passwd: [UInt8]
    let group: [UInt8]
    let list: AdoptionList
    let local: LocalAccounts

    init(passwd: [UInt8], group: [UInt8], list: AdoptionList) {
        self.passwd = passwd
        self.group = group
        self.list = list
        local = LocalAccounts(passwd: passwd, group: group, adopted: list)
    }

    /// The lines for the accounts that are not mapped yet.
    func lines(adopting accounts: [OldAccount]) -> AdoptionLines {
        AdoptionLines(accounts.filter { local.adopted(named: $0.name) == nil }, groupNames: local.groupNames)
    }

    /// Reads the resulting files as the daemon will: an account that would not be mapped then is a conflict.
    func contradictions(with lines: AdoptionLines, _ accounts: [OldAccount]) -> [MigrationConflict] {
        guard let sum = AdoptionList(list.people + lines.people.filter { !list.people.contains($0) }) else {
            return [
                MigrationConflict(
                    place: AdoptionList.path,
                    text: "has one of these names, object ids or numbers for somebody else",
                    remedy: "find out whose it is; remove the line there or here"
                )
            ]
        }
        let after = LocalAccounts(
            passwd: AdoptionLines.adding(lines.passwd, to: passwd),
            group: AdoptionLines.adding(lines.group, to: group),
            adopted: sum
        )
        return accounts.compactMap { account in
            guard let stray = after.strays[account.name] else { return nil }
            return MigrationConflict(
                place: account.place,
                text: "\(account.name) cannot be adopted: \(stray)",
                remedy: "fix that file; then ask for the plan again"
            )
        }
    }
}
