// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

@Suite("P4: sshd's lines are taken apart as sshd does (OpenSSH 9.2 and 10.0 were asked)")
struct SSHDWordsTests {
    @Test(
        "Each spelling is the keyword Match",
        arguments: [
            "Match User a", "\"Match\" User a", "Ma\"tch\" User a", "=Match User a", "\"\" Match User a",
            "Match=User a",
            "  mAtCh\t=\tUser a", " = Match User a", "\"Match\"User a", "Match User a \u{c}\r",
        ]
    )
    func match(_ line: String) throws {
        let (keyword, rest) = try #require(SSHDWords.split(line[...]))
        #expect(keyword == "match")
        #expect(rest == "User a")
    }

    @Test(
        "sshd sees no keyword there",
        arguments: ["", " \t", "# Match all", "\"Match User a", "==Match all", "\"\" # x"]
    )
    func nothing(_ line: String) { #expect(SSHDWords.split(line[...]) == nil) }

    @Test("Words have quotes of either kind, and escapes, up to a comment")
    func words() {
        #expect(
            SSHDWords.arguments(of: #""/etc/x y" '/a"b' c\ d "e'f\"" # g"#) == ["/etc/x y", "/a\"b", "c d", "e'f\""]
        )
        #expect(SSHDWords.arguments(of: "a\"b c\"d#e") == ["ab cd#e"])
        #expect(SSHDWords.arguments(of: "'not closed") == nil)
        #expect(SSHDWords.words(of: "'/a b'") == ["/a b", "'/a", "b'"], "older versions know one kind")
    }
}

@Suite("P4: what sshd reads before entralogin's block is read")
struct SSHDFilesTests {
    private static let planted = "User alice@contoso.com\n    AuthorizedKeysFile /etc/planted\n"

    @Test("A quoted keyword, a quoted path, a chain of files", arguments: ["\"Match\"", "=Match", "Ma\"tch\""])
    func overtaken(keyword: String) {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config.d/00-a.conf"] = "\(keyword) \(Self.planted)"
        #expect(machine.errors.map(\.place) == ["/etc/ssh/sshd_config.d/00-a.conf:1"])
        machine.texts["/etc/ssh/sshd_config.d/00-a.conf"] = "\"Include\" '/etc/ssh/x y.conf'\n"
        machine.texts["/etc/ssh/x y.conf"] = "Include deep/z.conf\n"
        machine.texts["/etc/ssh/deep/z.conf"] = "\n\(keyword) \(Self.planted)"
        #expect(machine.errors.map(\.place) == ["/etc/ssh/deep/z.conf:2"])
        let files = StackCheck(on: machine).run().restsOn
        #expect(Set(["/etc/ssh/x y.conf", "/etc/ssh/deep", "/etc/ssh/deep/z.conf"]).isSubset(of: files))
    }

    @Test("A block with entralogin's names that leaves something to the next block is not entralogin's")
    func partial() {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config"] =
            "Match User *@*,\(SSHDOrderRule.guids)\n X11Forwarding no\nMatch \(Self.planted)Include sshd_config.d/*.conf\n"
        #expect(machine.errors.map(\.place) == ["/etc/ssh/sshd_config:1"])
    }

    @Test("A block with a user's name, a criterion or an exception in its Match line is not entralogin's")
    func otherCriteria() {
        for users in ["alice@contoso.com,\(SSHDOrderRule.guids)", "*@*,!b@x.y,\(SSHDOrderRule.guids)", "*@*"] {
            var machine = WiredMachine()
            machine.texts[SSHDFiles.dropIn] = Debian12.block(users)
            #expect(machine.errors.map(\.id.text) == ["sshd.files"], "\(users)")
        }
    }

    @Test("A NUL, with which sshd joins lines, and includes without an end are not read on")
    func strange() {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config.d/00-a.conf"] = "Port 22\0\n"
        #expect(machine.errors.map(\.place) == ["/etc/ssh/sshd_config.d/00-a.conf"])
        machine.texts["/etc/ssh/sshd_config.d/00-a.conf"] = "Include /etc/ssh/b.conf /etc/ssh/b.conf\n"
        machine.texts["/etc/ssh/b.conf"] = "Include /etc/ssh/b.conf /etc/ssh/b.conf\n"
        #expect(machine.errors.map(\.id.text) == ["sshd.files"])
    }
}
