// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Glibc
import Identity
import LinuxSystem
import OpenSSHCertificates
import TestSupport
import Testing

@Suite struct RevokedKeysFileTests {
    private let folder = TemporaryFolder()
    private let time = VirtualTime()

    private var path: String { "\(folder.path)/revoked_keys" }

    private var source: RevokedKeysFile { RevokedKeysFile(path: path, time: time) }

    private func write(_ numbers: UInt8..., mode: UInt32 = 0o644) throws {
        let lines = try numbers.map { try Fixture.key($0).line }
        try AtomicFile(path).replace(with: Array(lines.joined(separator: "\n").utf8), mode: mode)
    }

    /// Overwrites the file's bytes in place: the same file, the same size.
    private func overwrite(_ text: String) throws {
        let file = try Descriptor.open(path, O_WRONLY)
        let bytes = Array(text.utf8)
        #expect(Glibc.write(file.rawValue, bytes, bytes.count) == bytes.count)
    }

    private func count(_ reading: RevocationReading) -> Int? {
        guard case .list(let list, _) = reading else { return nil }
        return list.count
    }

    private func fault(_ reading: RevocationReading) -> String? {
        guard case .unusable(let fault) = reading else { return nil }
        return fault
    }

    @Test("P4: a change of the list counts at the next question, whichever way it is made")
    func changes() throws {
        let source = source
        try write(1)
        #expect(count(source.read()) == 1)
        try write(1, 2)
        #expect(count(source.read()) == 2)
        unlink(path)
        #expect(fault(source.read())?.contains("revoked_keys: cannot open") == true)
        try write()
        #expect(count(source.read()) == 0)
        try write(1, 2, 3)
        #expect(count(source.read()) == 3)
        try AtomicFile(path).replace(with: Array("nonsense".utf8), mode: 0o644)
        #expect(fault(source.read())?.hasSuffix("line 1 is neither a public key nor a comment") == true)
    }

    @Test("A list that has not changed keeps its revision; one that has gets another")
    func revisions() throws {
        let source = source
        try write(1)
        guard case .list(_, let first) = source.read(), case .list(_, let again) = source.read() else {
            Issue.record("not read")
            return
        }
        #expect(first == again)
        try write(2)
        guard case .list(_, let second) = source.read() else {
            Issue.record("not read")
            return
        }
        #expect(second != first)
    }

    @Test("P4: a second change within a step of the file system's clock, of the same size, is not missed")
    func settling() throws {
        // Sets the test's clock to that of the file's times.
        time.jumpWall(by: SystemClock.wallSeconds() - time.wallTime().seconds)
        let source = source
        let lines = try [Fixture.key(1).line, Fixture.key(2).line]
        try write(1)
        for round in 0..<50 {
            try overwrite(lines[round % 2])
            guard case .list(let list, _) = source.read() else {
                Issue.record("not read")
                return
            }
            #expect(list == (try KeyRevocationList(parsing: Array(lines[round % 2].utf8))), "round \(round)")
        }
    }

    @Test("P4: a list that others may write, or that is no plain file, is not believed")
    func untrusted() throws {
        let source = source
        for mode in [UInt32(0o664), 0o646, 0o666] {
            try write(1, mode: mode)
            #expect(fault(source.read())?.contains("lets others write it") == true)
        }
        try write(1)
        #expect(count(source.read()) == 1)
        chmod(path, 0o666)
        #expect(fault(source.read())?.contains("lets others write it") == true)
        chmod(path, 0o600)
        #expect(count(source.read()) == 1)
        rename(path, path + ".real")
        symlink(path + ".real", path)
        #expect(fault(source.read())?.contains("not a plain file") == true)
        unlink(path)
        mkdir(path, 0o755)
        #expect(fault(source.read())?.contains("not a plain file") == true)
    }

    @Test("P4: a list of somebody else's is not believed", .enabled(if: geteuid() == 0))
    func foreign() throws {
        let source = source
        try write(1)
        #expect(count(source.read()) == 1)
        chown(path, 12_345, 0)
        #expect(fault(source.read())?.contains("belongs to user 12345") == true)
    }

    @Test("P13: a list above the limit is not read")
    func tooLarge() throws {
        let size = KeyRevocationList.Limit.bytes + 1
        try AtomicFile(path).replace(with: [UInt8](repeating: UInt8(ascii: "\n"), count: size), mode: 0o644)
        #expect(fault(source.read())?.contains("larger than") == true)
    }
}
