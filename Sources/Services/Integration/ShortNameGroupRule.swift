// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// Evaluates whether the group by which sshd recognizes accounts with a short name is entralogin's. If it is another
/// group of that name, entralogin's block applies to its members, and they cannot use their own keys (P8).
struct ShortNameGroupRule: Sendable {
    static let group = ShortName.group

    func evaluate(_ machine: any HostView) -> Finding? {
        let answer = machine.run("/usr/bin/getent", ["group", Self.group])
        let fields = answer.output.split(separator: "\n").first?.split(separator: ":", omittingEmptySubsequences: false)
        guard answer.status == 0, let fields, fields.count > 2, fields[2] != "\(Self.number)" else { return nil }
        return Finding(
            .names(of: "short-group"),
            .error,
            "another group is called \(Self.group): its members would meet entralogin's block in sshd's configuration",
            place: "getent group \(Self.group)",
            needed: "no group of that name but entralogin's, number \(Self.number)",
            remedy: "rename the group (groupmod -n NEW \(Self.group)), then entraloginctl stack --stamp"
        )
    }

    private static let number = ShortName.groupNumber
}
