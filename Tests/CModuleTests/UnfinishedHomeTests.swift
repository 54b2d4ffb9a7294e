// SPDX-License-Identifier: Apache-2.0

import CClient
import Glibc
import TestSupport
import Testing

/// A home that pam_mkhomedir began but never finished, beside a skeleton of its own. The tests' user stands for root.
@Suite("A home that was begun and never ended")
struct UnfinishedHomeTests {
    private let folder = TemporaryFolder()
    private let content = Array("set -o vi\nalias ll='ls -l'\n".utf8)
    private var home: String { "\(folder.path)/home" }
    private var skeleton: String { "\(folder.path)/skel" }

    init() {
        mkdir(skeleton, 0o755)
        mkdir("\(skeleton)/bin", 0o755)
        put(content, "\(skeleton)/.bashrc")
        put(content, "\(skeleton)/bin/tool")
        symlink("/etc/motd", "\(skeleton)/motd")
    }

    /// Whether the home that `make` fills is unfinished and, if `removing`, the module removes it; clears it at last.
    private func isUnfinished(removing: Bool = false, of uid: UInt32 = geteuid() + 7, _ make: () -> Void) -> Bool {
        mkdir(home, 0o700)
        make()
        defer { clear() }
        guard entralogin_is_unfinished_home(home, skeleton, geteuid(), uid) == 1 else { return false }
        guard removing else { return true }
        return entralogin_remove_unfinished_home(home, skeleton, geteuid(), uid) == 1 && access(home, F_OK) != 0
    }

    private func clear() {
        for name in [".bashrc", "notes", "motd", "bin/tool", "bin/other"] { unlink("\(home)/\(name)") }
        for name in ["bin", ".ssh", "motd", "motd/bin"] { rmdir("\(home)/\(name)") }
        chmod(home, 0o700)
        if rmdir(home) != 0 { unlink(home) }
    }

    private func put(_ content: [UInt8], _ path: String) {
        let fd = open(path, O_CREAT | O_WRONLY, 0o644)
        defer { close(fd) }
        #expect(write(fd, content, content.count) == content.count)
    }

    private func tool(_ content: [UInt8], _ name: String = "tool") {
        mkdir("\(home)/bin", 0o755)
        put(content, "\(home)/bin/\(name)")
    }

    @Test("P7: An empty one and beginnings of the skeleton's files go")
    func begun() {
        #expect(isUnfinished(removing: true) {})
        for size in [0, content.count / 2, content.count] {
            #expect(isUnfinished(removing: true) { put(Array(content.prefix(size)), "\(home)/.bashrc") })
            #expect(isUnfinished(removing: true) { tool(Array(content.prefix(size))) })
        }
        #expect(isUnfinished(removing: true) { symlink("/etc/motd", "\(home)/motd") })
    }

    @Test(
        "P7: The account's files count as root's; a home that is the account's own stays",
        .enabled(if: geteuid() == 0)
    )
    func owners() {
        func given(to owner: UInt32, _ path: String) { lchown(path, owner, owner) }
        func file(of owner: UInt32) {
            put(content, "\(home)/.bashrc")
            given(to: owner, "\(home)/.bashrc")
        }
        #expect(isUnfinished(removing: true, of: 7) { file(of: 7) })
        #expect(!isUnfinished(of: 7) { file(of: 8) })
        #expect(!isUnfinished(of: 7) { given(to: 7, home) }, "whole, and the account's")
        #expect(!isUnfinished(of: 7) { given(to: 8, home) })
    }

    @Test("P7: Anything else in it, or another mode: it is somebody's, and stays")
    func others() {
        #expect(!isUnfinished { chmod(home, 0o755) })
        #expect(!isUnfinished { put([], "\(home)/notes") })
        #expect(!isUnfinished { mkdir("\(home)/.ssh", 0o700) })
        #expect(!isUnfinished { tool(content, "other") })
        #expect(!isUnfinished { put(content + [120], "\(home)/.bashrc") })
        #expect(!isUnfinished { put([0], "\(home)/.bashrc") })
        #expect(!isUnfinished { symlink("/etc/passwd", "\(home)/.bashrc") }, "a link in the place of a file")
        #expect(!isUnfinished { put([], "\(home)/motd") }, "a file in the place of a link")
        #expect(!isUnfinished { put([], "\(home)/bin") }, "a file in the place of a folder")
        #expect(
            !isUnfinished {
                put(content, "\(home)/.bashrc")
                link("\(home)/.bashrc", "\(folder.path)/linked")
            },
            "a file with another name"
        )
        #expect(
            !isUnfinished {
                rmdir(home)
                symlink(skeleton, home)
            },
            "a link"
        )
    }
}
