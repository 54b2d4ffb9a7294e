// SPDX-License-Identifier: Apache-2.0

import CWire
import Glibc
import PAM
import TestSupport
import Testing

/// The folders above a home must belong to root, but every user may write to /tmp: these tests need a folder
/// below `/`, and root's rights.
@Suite("PAM: what stands at the home's path", .enabled(if: geteuid() == 0))
struct HomeStateTests {
    private final class RootFolder {
        let path = "/entralogin-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        init() { mkdir(path, 0o755) }
        deinit {
            for name in ["link", "file", "absent"] { unlink("\(path)/\(name)") }
            for name in ["home", "shared/home", "shared"] { rmdir("\(path)/\(name)") }
            rmdir(path)
        }
    }

    private let folder = RootFolder()

    private func state(_ name: String) -> [UInt32] {
        var owner: UInt32 = 0
        let state = entralogin_home_state("\(folder.path)/\(name)", 0, &owner)
        return [UInt32(state), owner]
    }

    @Test("P7: Absent, a folder with its owner, or strange; a link there is never followed")
    func states() {
        let strange = [ENTRALOGIN_HOME_STRANGE, ENTRALOGIN_NO_ID]
        let absent = [ENTRALOGIN_HOME_ABSENT, ENTRALOGIN_NO_ID]
        mkdir("\(folder.path)/home", 0o700)
        chown("\(folder.path)/home", FakeStack.uid, 0)
        symlink("\(folder.path)/home", "\(folder.path)/link")
        close(open("\(folder.path)/file", O_CREAT | O_WRONLY, 0o600))
        #expect(state("home") == [ENTRALOGIN_HOME_FOLDER, FakeStack.uid])
        #expect(state("home/") == [ENTRALOGIN_HOME_FOLDER, FakeStack.uid])
        #expect(state("absent") == absent && state("absent/below") == absent)
        #expect(state("link") == strange && state("file") == strange && state("file/below") == strange)
        #expect(state("home/below") == strange, "below a folder that is not root's")
        #expect(state("./home") == strange && state("../home") == strange && state("home/..") == strange)
    }

    @Test("P7: Below a folder that others can write, everything is strange")
    func writable() {
        mkdir("\(folder.path)/shared", 0o755)
        mkdir("\(folder.path)/shared/home", 0o700)
        #expect(state("shared/home") == [ENTRALOGIN_HOME_FOLDER, 0])
        for mode: mode_t in [0o775, 0o757, 0o1777] {
            chmod("\(folder.path)/shared", mode)
            #expect(state("shared/home") == [ENTRALOGIN_HOME_STRANGE, ENTRALOGIN_NO_ID])
        }
    }

    @Test("P7: The folder that others can write is named: how much of the path it is")
    func exposure() {
        let above = UInt32(folder.path.utf8.count)
        mkdir("\(folder.path)/shared", 0o755)
        #expect(entralogin_home_exposure("\(folder.path)/shared/home", 0) == 0)
        chmod("\(folder.path)/shared", 0o1777)
        #expect(entralogin_home_exposure("\(folder.path)/shared/home", 0) == above + 7)
        #expect(entralogin_home_exposure("\(folder.path)/shared/home/", 0) == above + 7)
        chmod(folder.path, 0o775)
        #expect(entralogin_home_exposure("\(folder.path)/home", 0) == above)
    }

    @Test("A path that is not absolute, or has no name, is strange")
    func shapes() {
        var owner: UInt32 = 0
        for path in ["", "/", "//", "home", "home/x", "/" + String(repeating: "x", count: 300)] {
            #expect(entralogin_home_state(path, 0, &owner) == UInt16(ENTRALOGIN_HOME_STRANGE))
        }
    }
}
