// SPDX-License-Identifier: Apache-2.0

import LinuxSystem
import TestSupport
import Testing

@Suite struct FolderLockTests {
    let folder = TemporaryFolder()

    private func tryToLock() throws(Errno) { _ = try FolderLock(folder.path) }

    @Test("P14: a folder has one owner at a time")
    func exclusion() throws {
        do {
            let lock = try FolderLock(folder.path)
            #expect(throws: Errno.wouldBlock) { try tryToLock() }
            _ = consume lock
        }
        try tryToLock()
        #expect(throws: Errno.noEntry) { _ = try FolderLock("/nowhere/at/all") }
    }
}
