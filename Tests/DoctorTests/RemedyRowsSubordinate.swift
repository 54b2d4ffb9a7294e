// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Rows of `RemedyTests`: ranges for rootless containers. alice is enrolled, and accounts are to get ranges.
extension RemedyTests {
    private static let users = "/etc/subuid"
    private static let groups = "/etc/subgid"
    private static let line = "alice@contoso.com:1073741824:65536\n"

    private static func row(
        _ id: String,
        _ remedy: String,
        _ spoil: @escaping @Sendable (inout SetUpMachine) -> Void,
        _ repair: @escaping @Sendable (inout SetUpMachine) -> Void
    ) -> Row {
        Row(
            id,
            .warning,
            remedy,
            { machine in
                machine.givesSubordinateIDs = true
                machine.texts["/etc/group"] = "root:x:0:\n"
                machine.texts["/var/lib/entralogin/accounts"] = enrolled
                for path in [users, groups] { machine.texts[path] = line }
                spoil(&machine)
            },
            repair
        )
    }

    static let subordinateRows: [Row] = [
        row(
            "subids.missing",
            "systemctl restart entralogin-subids.service",
            { machine in for path in [users, groups] { machine.texts[path] = "lisa:100000:65536\n" } },
            { machine in for path in [users, groups] { machine.texts[path] = "lisa:100000:65536\n\(line)" } }
        ),
        row(
            "subids.missing",
            "entraloginctl subids --write while /etc can be written",
            { machine in
                machine.texts[groups] = nil
                machine.spaces["/etc"] = FileSpace(freeBytes: 0, freeFiles: 0, totalFiles: 0, isReadOnly: true)
            },
            { $0.texts[groups] = line }
        ),
        row(
            "subids.missing",
            "chmod a+r \(groups)",
            { $0.statuses[groups] = FileStatus(kind: .file, mode: 0o640) },
            { $0.statuses[groups] = FileStatus(kind: .file, mode: 0o644) }
        ),
        row(
            "subids.exhausted",
            "SubordinateIDRange=first-last with more numbers that are free",
            { machine in
                machine.subordinateNumbers = 655_360...720_895
                for path in [users, groups] { machine.texts[path] = "lisa:655360:65536\n" }
            },
            { machine in
                machine.subordinateNumbers = 655_360...786_431
                for path in [users, groups] {
                    machine.texts[path] = "lisa:655360:65536\nalice@contoso.com:720896:65536\n"
                }
            }
        ),
        row(
            "subids.forms",
            "take the lines by number out of both files",
            { $0.texts[users] = "\(line)1999259362:1073741824:65536\n" },
            { $0.texts[users] = line }
        ),
        row(
            "subids.half",
            "take the account's line out of /etc/subuid",
            { machine in
                machine.texts[users] = "alice@contoso.com:100000:65536\n"
                machine.texts[groups] = "lisa:100000:65536\n"
            },
            { machine in
                machine.texts[users] = line
                machine.texts[groups] = "lisa:100000:65536\n\(line)"
            }
        ),
        row(
            "subids.shared",
            "take one's lines out of both files",
            { $0.texts[users] = "\(line)lisa:1073807359:1\n" },
            { $0.texts[users] = line }
        ),
        row(
            "subids.source",
            "take the line subid: out of nsswitch.conf",
            { $0.texts[names, default: ""] += "subid: sss\n" },
            { $0.texts[names] = WiredMachine().texts[names] }
        ),
        row(
            "subids.directory",
            "SubordinateIDRange=first-last",
            { machine in
                machine.texts[names] = "passwd: files winbind entralogin\ngroup: files winbind entralogin\n"
                machine.programs["/usr/bin/getent -s"] = ProgramResult(status: 2)
            },
            { $0.subordinateNumbers = 1_073_741_824...1_879_048_191 }
        ),
    ]

    @Test("Off, nothing is said of subordinate ids; on, with a range for everybody, that is said")
    func quiet() {
        var machine = SetUpMachine()
        machine.texts["/etc/group"] = "root:x:0:\n"
        machine.texts["/var/lib/entralogin/accounts"] = Self.enrolled
        #expect(!machine.findings.contains { $0.id.subject == .subids })
        machine.givesSubordinateIDs = true
        for path in [Self.users, Self.groups] { machine.texts[path] = Self.line }
        #expect(machine.findings.filter { $0.id.subject == .subids }.map(\.id.text) == ["subids"])
    }
}
