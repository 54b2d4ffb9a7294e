// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import OpenSSHCertificates
import TestSupport
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

@Suite("sshd's copy of the CA keys") struct AuthorityCopyTests {
    private let folder = TemporaryFolder()
    private var source: String { folder("daemons") }
    private var copy: AuthorityCopy { AuthorityCopy(from: source, to: folder("sshds")) }

    private static func key(_ number: UInt8) throws -> PublicKey {
        try PublicKey(type: .ed25519, fields: .ed25519([UInt8](repeating: number, count: 32)))
    }

    private func published() -> String? {
        (try? AtomicFile(folder("sshds")).read(limit: 1 << 20, requiring: .ofSystem)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func write(_ text: String) { folder.write(Array(text.utf8), to: "daemons") }

    @discardableResult
    private func publish() throws -> Int { try copy.publish(owner: geteuid()) }

    @Test("The keys, each once, without what else the daemon writes; the same again changes nothing")
    func good() throws {
        let lines = try [Self.key(1).line, Self.key(2).line]
        write("# comment\n\n\(lines[0]) entralogin source=jwks seen=1\n\(lines[1])\n\(lines[0])\n")
        #expect(try publish() == 2)
        let text = try #require(published())
        #expect(text.split(separator: "\n").dropFirst().map(String.init) == lines && text.hasPrefix("# "))
        #expect(copy.keys()?.map(\.line) == lines)
        var before = stat()
        var after = stat()
        stat(folder("sshds"), &before)
        #expect(before.st_mode & 0o7777 == 0o644)
        try publish()
        stat(folder("sshds"), &after)
        #expect(before.st_ino == after.st_ino)
        // The administrator withdrew every key: sshd's copy must become empty, too.
        write("# nothing\n")
        #expect(try publish() == 0)
        #expect(copy.keys() == [])
    }

    @Test("Before the daemon's first start there is neither file nor copy, and that is no failure")
    func first() throws {
        #expect(try publish() == 0)
        #expect(published() == nil)
    }

    @Test("P11: whatever stands where the daemon's file should be, the last copy stays, and nothing waits or grows")
    func hostile() throws {
        write("\(try Self.key(1).line)\n")
        try publish()
        let good = try #require(published())
        let broken: [(String, () throws -> Void)] = [
            ("absent", {}),
            ("a FIFO", { mkfifo(self.source, 0o644) }),
            ("a device", { symlink("/dev/zero", self.source) }),
            ("a link to the same", { symlink(self.folder("sshds"), self.source) }),
            ("a second name", { link(self.folder("sshds"), self.source) }),
            ("a folder", { mkdir(self.source, 0o755) }),
            (
                "3 GB of nothing",
                {
                    self.write("")
                    truncate(self.source, 3 << 30)
                }
            ),
            ("no text", { self.folder.write([0xff, 0xfe], to: "daemons") }),
            ("no key", { self.write("\(try Self.key(1).line)\nssh-rsa AAAA\n") }),
            ("options before a key", { self.write("cert-authority \(try Self.key(1).line)\n") }),
            ("one long line", { self.write(String(repeating: "A", count: AuthorityCopy.Limit.bytes)) }),
            (
                "too many keys",
                {
                    let keys = try (0...AuthorityCopy.Limit.keys).map { number in
                        let bytes = (0..<32).map { UInt8(truncatingIfNeeded: $0 == 0 ? number >> 8 : number) }
                        return try PublicKey(type: .ed25519, fields: .ed25519(bytes)).line
                    }
                    self.write(keys.joined(separator: "\n"))
                }
            ),
            (
                "written by others",
                {
                    self.write("\(try Self.key(2).line)\n")
                    chmod(self.source, 0o666)
                }
            ),
        ]
        for (name, make) in broken {
            _ = remove(source)
            try make()
            #expect(throws: AuthorityCopy.Refusal.self, "\(name)") { try publish() }
            #expect(published() == good, "\(name)")
        }
        _ = remove(source)
        write("\(try Self.key(2).line)\n")
        #expect(try publish() == 1)
    }

    @Test("doctor: the same keys are good; others, none, or a file that is not taken keep people out")
    func rule() throws {
        let lines = try (1...2).map { try Self.key(UInt8($0)).line }
        func evaluate(daemon: String?, sshd: String?) -> (Severity, String) {
            var machine = WiredMachine()
            machine.texts[AuthorityCopy.source] = daemon
            machine.texts[AuthorityCopy.path] = sshd
            let finding = AuthorityCopyRule().evaluate(machine)
            #expect(finding.id.text == "keys.copy")
            return (finding.severity, finding.found)
        }
        let both = lines.joined(separator: "\n")
        #expect(evaluate(daemon: "\(lines[1]) entralogin source=jwks seen=1\n\(lines[0])", sshd: both).0 == .good)
        #expect(
            evaluate(daemon: lines[0], sshd: both) == (
                .error, "sshd trusts 2 CA keys, entralogind 1, and they are not the same"
            )
        )
        #expect(evaluate(daemon: lines[0], sshd: lines[1]).0 == .error)
        #expect(evaluate(daemon: lines[0], sshd: nil).1.contains("refuses every certificate"))
        #expect(evaluate(daemon: "ssh-rsa AAAA", sshd: both).1.contains("line 1 is no public key"))
        #expect(evaluate(daemon: nil, sshd: nil).0 == .note)
    }
}
