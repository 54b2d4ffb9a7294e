// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct StateFilesRuleTests {
    /// A machine with the state files as systemd and the daemon make them.
    private static var machine: WiredMachine {
        var machine = WiredMachine()
        let folders: [(String, UInt32)] = [
            ("/etc/entralogin", 0), ("/var/lib/entralogin", 997), ("/var/lib/entralogin/nss", 997),
            ("/var/lib/entralogin/ssh", 997), ("/var/lib/entralogin-sshd", 0), ("/run/entralogin", 0),
            ("/run/entralogin/nss", 997),
        ]
        for (path, owner) in folders {
            machine.statuses[path] = FileStatus(kind: .folder, owner: owner, mode: 0o755)
        }
        machine.statuses["/var/lib/entralogin/accounts"] = FileStatus(kind: .file, owner: 997, mode: 0o600)
        machine.statuses["/run/entralogin/control.sock"] = FileStatus(kind: .other, owner: 997, mode: 0o600)
        machine.statuses["/run/entralogin/principals.sock"] = FileStatus(kind: .other, owner: 0, mode: 0o660)
        return machine
    }

    @Test("As they are made, they are good; root may own them, too")
    func good() {
        #expect(StateFilesRule().evaluate(Self.machine).map(\.severity) == [.good])
    }

    @Test(
        "Another owner, a mode that lets others write, and what is missing are named with the command",
        arguments: [
            (
                "/var/lib/entralogin/accounts", FileStatus(kind: .file, owner: 1000),
                "chown entralogin /var/lib/entralogin/accounts"
            ),
            ("/run/entralogin", FileStatus(kind: .folder, owner: 997, mode: 0o755), "chown root /run/entralogin"),
            (
                "/var/lib/entralogin", FileStatus(kind: .folder, owner: 997, mode: 0o777),
                "chmod 755 /var/lib/entralogin"
            ),
            ("/run/entralogin/control.sock", FileStatus(kind: .other, owner: 997, mode: 0o666), "chmod 600 "),
            ("/run/entralogin/nss", nil, "systemctl restart"),
            (
                "/var/lib/entralogin/groups", FileStatus(kind: .file, owner: 0, mode: 0o666),
                "chmod 644 /var/lib/entralogin/groups"
            ),
        ]
    )
    func wrong(path: String, status: FileStatus?, remedy: String) {
        var machine = Self.machine
        machine.statuses[path] = status
        let findings = StateFilesRule().evaluate(machine)
        #expect(findings.map(\.place) == [path])
        #expect(findings[0].remedy.hasPrefix(remedy))
    }

    @Test(
        "P16: what sign-in needs is an error, and says whom it keeps out; the rest is a warning",
        arguments: [
            ("/var/lib/entralogin", nil, .everybody),
            ("/var/lib/entralogin", FileStatus(kind: .folder, owner: 997, mode: 0o700), .everybody),
            ("/var/lib/entralogin", FileStatus(kind: .folder, owner: 65_534, mode: 0o755), .newcomers),
            ("/var/lib/entralogin/nss", FileStatus(kind: .folder, owner: 65_534, mode: 0o755), .newcomers),
            ("/run/entralogin/principals.sock", nil, .everybody),
            ("/run/entralogin/control.sock", FileStatus(kind: .other, owner: 65_534, mode: 0o600), .everybody),
            ("/var/lib/entralogin/ssh", nil, nil),
            ("/etc/entralogin", FileStatus(kind: .folder, owner: 0, mode: 0o777), nil),
        ] as [(String, FileStatus?, KeptOut?)]
    )
    func grave(path: String, status: FileStatus?, keptOut: KeptOut?) {
        var machine = Self.machine
        machine.statuses[path] = status
        let findings = StateFilesRule().evaluate(machine)
        #expect(findings.map(\.keepsOut) == [keptOut])
        #expect(findings.map(\.severity) == [keptOut == nil ? .warning : .error])
    }

    @Test("P16: a socket that is gone comes back by a restart of the sockets and the daemon")
    func maker() {
        var machine = Self.machine
        machine.statuses["/run/entralogin/principals.sock"] = nil
        let remedies = StateFilesRule().evaluate(machine).map(\.remedy)
        #expect(remedies == ["systemctl restart entralogind-control.socket entralogind-principals.socket entralogind"])
    }
}
