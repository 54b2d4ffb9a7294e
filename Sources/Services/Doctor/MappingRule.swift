// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// Evaluates whether root's list of mapped accounts and the account files agree. An account that only one of them has
/// is refused.
struct MappingRule: Sendable {
    func evaluate(_ machine: any HostView) -> [Finding] {
        let passwd = (try? machine.text(of: "/etc/passwd")) ?? ""
        let group = (try? machine.text(of: "/etc/group")) ?? ""
        let list: MappingList
        do {
            list = try MappingList(parsing: Array(try machine.text(of: MappingList.path).utf8))
        } catch FileAbsence.absent {
            list = MappingList()
        } catch {
            return [flaw("cannot be used: \(error)")]
        }
        if let status = try? machine.status(of: MappingList.path), status.owner != 0 || status.mode & 0o022 != 0 {
            return [flaw("is not root's alone, or others may write it")]
        }
        let local = LocalAccounts(passwd: Array(passwd.utf8), group: Array(group.utf8), mapped: list)
        let found = mismatches(local) + unlisted(passwd, list)
        guard found.isEmpty, !list.people.isEmpty else { return found }
        let text = "\(list.people.count) local accounts are Entra's by \(MappingList.path), and agree with it"
        return [Finding(.adopted, .good, text)]
    }

    private func flaw(_ text: String) -> Finding {
        Finding(
            .adoptedList,
            .warning,
            "the list of mapped accounts \(text): everybody in it is refused",
            place: MappingList.path,
            needed: "as Documentation/migration.md says; root's, mode 0644",
            remedy: "fix it: one line for each account, name:object-id:uid"
        )
    }

    private func mismatches(_ local: LocalAccounts) -> [Finding] {
        local.mismatches.sorted { $0.key.text < $1.key.text }.map { name, why in
            Finding(
                .adoptedStray,
                .warning,
                "\(name) is mapped, but \(why): refused",
                place: MappingList.path,
                needed: "the same name, uid and gid in the list and in /etc/passwd",
                remedy: "fix the file that is wrong; or take \(name) out of both"
            )
        }
    }

    /// Lines with the mark of a mapped account whose name is not on the list.
    private func unlisted(_ passwd: String, _ list: MappingList) -> [Finding] {
        let names = Set(list.people.map(\.name.text))
        return passwd.lines.enumerated().compactMap { index, line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, fields[1] == MappingList.mark, !names.contains(String(fields[0])) else {
                return nil
            }
            return Finding(
                .adoptedUnlisted,
                .warning,
                "\(fields[0]) was mapped, and is not in the list any more: refused",
                place: "/etc/passwd:\(index + 1)",
                needed: "name:object-id:uid of that person in \(MappingList.path)",
                remedy: "put it back, or remove the account: userdel \(fields[0])"
            )
        }
    }
}
