// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct FileStampTests {
    let folder = TemporaryFolder()

    @Test func `a stamp changes with the file and not without`() throws {
        let path = "\(folder.path)/file"
        try AtomicFile(path).replace(with: [1], mode: 0o600)
        let before = try FileStamp(of: path)
        #expect(try FileStamp(of: path) == before)
        // The same size, and perhaps the same time, but another file.
        try AtomicFile(path).replace(with: [2], mode: 0o600)
        let replaced = try FileStamp(of: path)
        #expect(replaced != before)
        #expect(truncate(path, 5) == 0)
        #expect(try FileStamp(of: path) != replaced)
    }

    @Test func `a link is followed, and what is absent is an error`() throws {
        let path = "\(folder.path)/file"
        #expect(throws: Errno.noEntry) { try FileStamp(of: path) }
        try AtomicFile(path).replace(with: [1], mode: 0o600)
        #expect(symlink(path, "\(folder.path)/link") == 0)
        #expect(try FileStamp(of: "\(folder.path)/link") == FileStamp(of: path))
    }
}
