// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct FileWithDropInsTests {
    let folder = TemporaryFolder()

    private var file: FileWithDropIns { FileWithDropIns(folder("x.conf")) }

    private func read(mayBeMissing: Bool = false) throws -> [String] {
        try file.read(mayBeMissing: mayBeMissing).map { part in
            "\(part.path.dropFirst(folder.path.count + 1)) \(String(decoding: part.bytes, as: UTF8.self))"
        }
    }

    @Test func `the file comes first, then its drop-ins by name, and nothing else of the folder`() throws {
        folder.write(Array("main".utf8), to: "x.conf")
        #expect(try read() == ["x.conf main"])
        try #require(mkdir(folder("x.conf.d"), 0o755) == 0)
        for name in ["20-b.conf", "10-a.conf", "9.conf", ".hidden.conf", "30-c.conf.dpkg-old", "README"] {
            folder.write(Array(name.utf8), to: "x.conf.d/\(name)")
        }
        let dropIns = ["10-a.conf", "20-b.conf", "9.conf"].map { "x.conf.d/\($0) \($0)" }
        #expect(try read() == ["x.conf main"] + dropIns)
        unlink(folder("x.conf"))
        #expect(try read(mayBeMissing: true) == dropIns)
        #expect(throws: FileError.self) { try read() }
    }

    @Test(
        "P16: a folder that others may write, or a link to one, is an error: the daemon and root's tools say the same"
    )
    func looseFolder() throws {
        folder.write([], to: "x.conf")
        for mode: mode_t in [0o777, 0o775, 0o757, 0o1777] {
            try #require(mkdir(folder("x.conf.d"), 0o755) == 0 && chmod(folder("x.conf.d"), mode) == 0)
            let error = #expect(throws: FileError.self) { try read() }
            #expect(error?.problem == .looseMode(UInt32(mode)))
            rmdir(folder("x.conf.d"))
        }
        try #require(mkdir(folder("elsewhere"), 0o755) == 0)
        for target in ["elsewhere", "/nonexistent"] {
            try #require(symlink(target, folder("x.conf.d")) == 0)
            let error = #expect(throws: FileError.self) { try read() }
            #expect(error?.problem == .notPlainFolder)
            unlink(folder("x.conf.d"))
        }
        #expect(try read() == ["x.conf "])
    }

    @Test("P13: a part that cannot be read, is a link or can be written by others is an error, never passed over")
    func strange() throws {
        folder.write([], to: "x.conf")
        try #require(mkdir(folder("x.conf.d"), 0o755) == 0)
        folder.write([], to: "x.conf.d/1.conf", mode: 0o666)
        #expect(throws: FileError.self) { try read(mayBeMissing: true) }
        unlink(folder("x.conf.d/1.conf"))
        try #require(symlink(folder("x.conf"), folder("x.conf.d/1.conf")) == 0)
        #expect(throws: FileError.self) { try read(mayBeMissing: true) }
        unlink(folder("x.conf.d/1.conf"))
        try #require(symlink("/nonexistent", folder("x.conf.d/1.conf")) == 0)
        #expect(throws: FileError.self) { try read(mayBeMissing: true) }
        unlink(folder("x.conf.d/1.conf"))
        #expect(try read() == ["x.conf "])
        rmdir(folder("x.conf.d"))
        folder.write([], to: "x.conf.d")
        #expect(throws: FileError.self) { try read(mayBeMissing: true) }
    }
}
