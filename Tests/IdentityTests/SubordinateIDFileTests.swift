// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Identity

@Suite("Lines of subuid(5)") struct SubordinateIDFileTests {
    private func ranges(_ text: String) -> [ClosedRange<UInt32>] {
        SubordinateIDFile(parsing: Array(text.utf8)).lines.map(\.range)
    }

    @Test(
        "The numbers that some reader takes, whole or cut at the last id",
        arguments: [
            ("lisa:100000:65536", [100_000...165_535] as [ClosedRange<UInt32>]), ("1000:5:1\n", [5...5]),
            ("a:0x10:0x10", [16...31]), ("a:010:1", [8...10]), ("a: +7:1 ", [7...7]), ("a:7:1:more", [7...7]),
            ("#a:7:1", [7...7]), ("a:7:1\r", [7...7]), ("a:4294967295:1", [.max ... .max]),
            ("a:4294967000:18446744073709551615", [4_294_967_000 ... .max]),
            ("a:1:99999999999999999999999", [1 ... .max]), ("\u{0}a:1:2", [1...2]),
        ]
    )
    func taken(line: String, expected: [ClosedRange<UInt32>]) {
        #expect(ranges(line) == expected)
    }

    @Test(
        "What no reader takes is no line",
        arguments: [
            "", "a", "a:1", ":1:2", "a::2", "a:1:", "a:x:2", "a:1:0", "a:-1:2", "a:1.5:2", "a:4294967296:1", "a:0x:1",
            "a:99999999999999999999999:1", "a:1 2:3", "a:１:2",
        ]
    )
    func none(line: String) {
        #expect(ranges(line) == [])
    }

    @Test("What is added stands behind the other lines, which stay byte for byte, damaged ones too")
    func adding() throws {
        let name = SystemName(try #require(UserName("alice@contoso.com")))
        for (before, after) in [("", ""), ("lisa:1:2", "lisa:1:2\n"), ("x\n\n\u{0}\u{7f}:\n", "x\n\n\u{0}\u{7f}:\n")] {
            let file = SubordinateIDFile(parsing: Array(before.utf8)).adding([(name, 131_072)])
            #expect(file.bytes == Array("\(after)alice@contoso.com:131072:65536\n".utf8))
            #expect(file.lines(of: "alice@contoso.com").map(\.range) == [131_072...196_607])
        }
        let broken: [UInt8] = [0xff, 0xfe, 0x3a, 0x31, 0x3a, 0x32]
        #expect(SubordinateIDFile(parsing: broken).adding([(name, 1)]).bytes.starts(with: broken + [0x0a]))
        #expect(SubordinateIDFile(parsing: broken).adding([]).bytes == broken)
    }

    @Test("A new owner takes the place of the old one, and nothing else of the file changes")
    func renaming() throws {
        let new = SystemName(try #require(UserName("alicia@contoso.com")))
        let file = SubordinateIDFile(parsing: Array("x\nalice@contoso.com: 1:2\n\nalice@contoso.com\nb:1:2".utf8))
        let renamed = file.renaming(["alice@contoso.com": new])
        #expect(
            String(decoding: renamed.bytes, as: UTF8.self) == "x\nalicia@contoso.com: 1:2\n\nalice@contoso.com\nb:1:2"
        )
        #expect(file.renaming(["c": new]).bytes == file.bytes)
    }
}
