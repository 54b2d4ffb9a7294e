// SPDX-License-Identifier: Apache-2.0

import Glibc
import PAM
import TestSupport
import Testing

/// A home that pam_mkhomedir began and never ended. These need a folder below `/`, and so root.
@Suite("PAM: a home that was begun and never ended", .enabled(if: geteuid() == 0))
struct UnfinishedHomeTests {
    private let path = "/entralogin-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    /// The path is made by `make`, looked at, removed where that is wanted, and gone in the end.
    private func isUnfinished(removing: Bool = false, _ make: (String) -> Void) -> Bool {
        mkdir(path, 0o700)
        chown(path, 0, 0)
        make(path)
        defer { clear() }
        guard entralogin_is_unfinished_home(path, 0, FakeStack.uid) == 1 else { return false }
        guard removing else { return true }
        return entralogin_remove_unfinished_home(path, 0, FakeStack.uid) == 1 && access(path, F_OK) != 0
    }

    private func clear() {
        for name in [Self.name, "notes"] { unlink("\(path)/\(name)") }
        rmdir("\(path)/.ssh")
        rmdir(path)
    }

    /// A plain file that every skeleton has.
    private static let name = ".bashrc"
    private let content: [UInt8] = {
        let fd = open("/etc/skel/\(UnfinishedHomeTests.name)", O_RDONLY)
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let size = read(fd, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, size)))
    }()

    private func put(_ content: [UInt8], _ name: String = UnfinishedHomeTests.name, owner: UInt32 = 0) {
        let fd = open("\(path)/\(name)", O_CREAT | O_WRONLY, 0o644)
        defer { close(fd) }
        #expect(write(fd, content, content.count) == content.count)
        fchown(fd, owner, owner)
    }

    private func isLinked(_ path: String) {
        put(content)
        link("\(path)/\(Self.name)", "\(path)/notes")
    }

    @Test("P7: An empty one and beginnings of the skeleton's files go; the account's files count as root's")
    func begun() {
        #expect(content.count > 100)
        #expect(isUnfinished(removing: true) { _ in })
        for size in [0, content.count / 2, content.count] {
            #expect(isUnfinished(removing: true) { _ in put(Array(content.prefix(size)), owner: FakeStack.uid) })
        }
        #expect(!isUnfinished { chown($0, FakeStack.uid, FakeStack.uid) }, "whole, and the account's")
    }

    @Test("P7: Anything else in it, another mode or another owner: it is somebody's, and stays")
    func others() {
        #expect(!isUnfinished { chmod($0, 0o755) })
        #expect(!isUnfinished { chown($0, FakeStack.uid + 1, 0) })
        #expect(!isUnfinished { _ in put([], "notes") })
        #expect(!isUnfinished { mkdir("\($0)/.ssh", 0o700) })
        #expect(!isUnfinished { _ in put(content + [120]) })
        #expect(!isUnfinished { _ in put([0]) })
        #expect(!isUnfinished { _ in put(content, owner: FakeStack.uid + 1) })
        #expect(!isUnfinished { symlink("/etc/passwd", "\($0)/\(Self.name)") })
        #expect(!isUnfinished(isLinked))
    }
}
