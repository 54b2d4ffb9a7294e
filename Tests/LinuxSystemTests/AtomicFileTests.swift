// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Synchronization
import TestSupport
import Testing

/// Fails at the n-th fault point that is reached, and records all of them.
private final class BrokenDisk: Sendable {
    private let state: Mutex<(failAt: Int?, reached: [AtomicFile.Step])>

    init(failAt: Int?) { state = Mutex((failAt, [])) }

    var reached: [AtomicFile.Step] { state.withLock { $0.reached } }

    func reach(_ step: AtomicFile.Step) throws(Errno) {
        let fails = state.withLock { state in
            state.reached.append(step)
            return state.reached.count - 1 == state.failAt
        }
        if fails { throw .noSpace }
    }
}

private let old = Array("the old content".utf8)
private let new = Array("the new content, which is longer than one piece".utf8)

@Suite struct AtomicFileTests {
    let folder = TemporaryFolder()

    private func file(_ disk: BrokenDisk) -> AtomicFile {
        AtomicFile("\(folder.path)/file", pieceSize: 16) { step throws(Errno) in try disk.reach(step) }
    }

    @Test func `a replaced file has the new bytes, the mode asked for, and no neighbour`() throws {
        let disk = BrokenDisk(failAt: nil)
        try file(disk).replace(with: old, mode: 0o640)
        try file(disk).replace(with: new, mode: 0o644)
        #expect(try file(disk).read(limit: 1000) == new)
        #expect(folder.names == ["file"])
        var status = stat()
        #expect(stat("\(folder.path)/file", &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o644)
    }

    @Test("P14: appended in pieces, the file has all of them; where the next does not come, the old one stands")
    func appended() throws {
        let disk = file(BrokenDisk(failAt: nil))
        let pieces = { (append: AtomicFile.Append) throws(FileError) in
            for piece in [old[..<3], [], old[3...], new[...]] { try append(piece) }
        }
        try disk.replace(with: pieces, mode: 0o600)
        #expect(try disk.read(limit: 1000) == old + new)
        let reason = FileError(path: disk.path, step: "compose", problem: .failed(.noSpace))
        let failing = { (append: AtomicFile.Append) throws(FileError) in
            try append(new[...])
            throw reason
        }
        let error = #expect(throws: FileError.self) { try disk.replace(with: failing, mode: 0o600) }
        #expect(error?.step == reason.step)
        #expect(try disk.read(limit: 1000) == old + new)
        #expect(folder.names == ["file"])
    }

    @Test("P14: whichever step fails, the file is whole, and the temporary one is gone")
    func everyFailure() throws {
        let whole = BrokenDisk(failAt: nil)
        try file(whole).replace(with: new, mode: 0o600)
        #expect(Set(whole.reached) == Set(AtomicFile.Step.allCases))
        for index in whole.reached.indices {
            try file(BrokenDisk(failAt: nil)).replace(with: old, mode: 0o600)
            let error = #expect(throws: FileError.self) {
                try file(BrokenDisk(failAt: index)).replace(with: new, mode: 0o600)
            }
            #expect(error?.step == whole.reached[index].rawValue)
            #expect(error?.problem == .failed(.noSpace))
            let inPlace = whole.reached[index] == .syncFolder ? new : old
            #expect(try file(BrokenDisk(failAt: nil)).read(limit: 1000) == inPlace)
            #expect(folder.names == ["file"])
        }
    }

    // The process of an exit test gets values from its test only since Swift 6.3.
    #if compiler(>=6.3)
    @Test("P14: killed at any step, the process leaves the old or the new file, and the next write succeeds")
    func everyKill() async throws {
        let whole = BrokenDisk(failAt: nil)
        try file(whole).replace(with: new, mode: 0o600)
        for index in whole.reached.indices {
            try file(BrokenDisk(failAt: nil)).replace(with: old, mode: 0o600)
            // A new process, not a fork of this one: a fork would keep the locks of threads that it does not have.
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String, index = index as Int] in
                let disk = BrokenDisk(failAt: index)
                let dying = AtomicFile("\(path)/file", pieceSize: 16) { step throws(Errno) in
                    do { try disk.reach(step) } catch { kill(getpid(), SIGKILL) }
                }
                try dying.replace(with: new, mode: 0o600)
            }
            let inPlace = whole.reached[index] == .syncFolder ? new : old
            #expect(try file(BrokenDisk(failAt: nil)).read(limit: 1000) == inPlace)
            try file(BrokenDisk(failAt: nil)).replace(with: new, mode: 0o600)
            #expect(folder.names == ["file"])
        }
    }

    @Test("P14: where the kernel takes only part of the bytes, the old file stands")
    func sizeLimit() async throws {
        try file(BrokenDisk(failAt: nil)).replace(with: old, mode: 0o600)
        await #expect(processExitsWith: .exitCode(42)) { [path = folder.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            limit.rlim_cur = 20
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(3) }
            do throws(FileError) {
                try AtomicFile("\(path)/file", pieceSize: 16).replace(with: new, mode: 0o600)
            } catch {
                _exit(error.problem == .failed(Errno(EFBIG)) ? 42 : 1)
            }
            _exit(0)
        }
        #expect(try file(BrokenDisk(failAt: nil)).read(limit: 1000) == old)
        #expect(folder.names == ["file"])
    }
    #endif

    @Test func `an absent file and an absent folder are told from other failures`() {
        let error = #expect(throws: FileError.self) { try AtomicFile("\(folder.path)/none").read(limit: 10) }
        #expect(error?.isAbsent == true)
        let other = #expect(throws: FileError.self) {
            try AtomicFile("\(folder.path)/no/file").replace(with: old, mode: 0o600)
        }
        #expect(other?.description.contains("cannot open folder: No such file or directory") == true)
    }

    @Test("P13: a link, a FIFO, a folder, a second name: none of them is read, none hangs")
    func strangeFiles() throws {
        let path = folder.path
        try AtomicFile("\(path)/real").replace(with: old, mode: 0o600)
        #expect(symlink("\(path)/real", "\(path)/link") == 0)
        #expect(mkfifo("\(path)/fifo", 0o600) == 0)
        #expect(mkdir("\(path)/folder", 0o700) == 0)
        for name in ["link", "fifo", "folder"] {
            let error = #expect(throws: FileError.self) { try AtomicFile("\(path)/\(name)").read(limit: 100) }
            #expect(error?.problem == .notPlainFile)
        }
        #expect(link("\(path)/real", "\(path)/second") == 0)
        #expect(throws: FileError(path: "\(path)/real", step: "check", problem: .notPlainFile)) {
            try AtomicFile("\(path)/real").read(limit: 100)
        }
    }

    @Test func `a file of the system may be a link`() throws {
        let path = folder.path
        try AtomicFile("\(path)/real").replace(with: old, mode: 0o644)
        #expect(symlink("\(path)/real", "\(path)/link") == 0)
        #expect(link("\(path)/real", "\(path)/second") == 0)
        #expect(try AtomicFile("\(path)/link").read(limit: 100, requiring: .ofSystem) == old)
    }

    @Test func `removing a file that is not there is no error`() throws {
        let file = AtomicFile("\(folder.path)/file")
        try file.replace(with: old, mode: 0o600)
        try file.remove()
        try file.remove()
        #expect(folder.names.isEmpty)
        #expect(throws: FileError.self) { try AtomicFile("/proc").remove() }
    }

    @Test("P13: size, owner and mode are checked before a byte is believed")
    func requirements() throws {
        let file = AtomicFile("\(folder.path)/file")
        try file.replace(with: old, mode: 0o664)
        #expect(try file.read(limit: old.count) == old)
        #expect(throws: FileError.self) { try file.read(limit: old.count - 1) }
        let loose = #expect(throws: FileError.self) { try file.read(limit: 100, requiring: .ownOrRoots) }
        #expect(loose?.problem == .looseMode(0o664))
        let foreign = #expect(throws: FileError.self) {
            try file.read(limit: 100, requiring: FileRequirement(owners: [geteuid() &+ 1]))
        }
        #expect(foreign?.problem == .foreignOwner(geteuid()))
        try file.replace(with: old, mode: 0o644)
        #expect(try file.read(limit: 100, requiring: .ownOrRoots) == old)
    }

    @Test func `a file that says nothing of its size is read to its end`() throws {
        let status = try AtomicFile("/proc/self/status").read(limit: 1 << 20)
        #expect(String(decoding: status, as: UTF8.self).contains("Name:"))
        #expect(throws: FileError.self) { try AtomicFile("/proc/self/status").read(limit: 10) }
    }

    @Test func `an empty file is an empty array`() throws {
        let file = AtomicFile("\(folder.path)/file")
        try file.replace(with: [], mode: 0o600)
        #expect(try file.read(limit: 0) == [])
    }
}
