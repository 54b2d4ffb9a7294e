// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@testable import Integration
@testable import Migration

struct OldAccountFileTests {
    static let alice = "Alice@contoso.com:0b1ec700-0000-4000-8000-0000000000a1:1001:1001:Alice A:/home/alice:/bin/bash"

    @Test("A line is an account as it stands there, the name in lower case")
    func accounts() throws {
        let file = OldAccountFile("# comment\n\n\(Self.alice)\n")
        let account = try #require(file.accounts.first)
        #expect(file.accounts.count == 1 && file.problems.isEmpty)
        #expect(account.name.text == "alice@contoso.com" && account.uid == 1001 && account.displayName == "Alice A")
        #expect(account.objectID.description == "0b1ec700-0000-4000-8000-0000000000a1")
        #expect(account.home == "/home/alice" && account.shell == "/bin/bash" && account.place == "/etc/aadpasswd:3")
    }

    @Test(
        "Every other line is named with file and line, and is no account",
        arguments: [
            ("/home/alice:/bin/bash", "/home/alice", "6 fields"), ("/bin/bash", "/bin/bash:more", "8 fields"),
            ("Alice@", "alice#EXT#@", "name"), ("Alice@contoso.com", "alice", "name"),
            ("Alice@contoso.com", "", "name"),
            ("0b1ec700-", "", "GUID"), (":1001:1001:", ":1001:1002:", "is not uid"), (":1001:", ":+1001:", "number"),
            (":1001:1001:", ":01001:1001:", "number"), (":1001:1001:", "::1001:", "number"),
            (":1001:1001:", ":4294967296:4294967296:", "number"), (":1001:1001:", ":-1:-1:", "number"),
            ("/home/alice", "home/alice", "home"), ("/home/alice", "/home/../root", "home"),
            ("/home/alice", "/home/a b", "home"), ("/bin/bash", "bash", "shell"), ("/bin/bash", "/bin/ba sh", "shell"),
            ("/bin/bash", "", "shell"), ("Alice A", "Al\u{1}ice", "controls"),
            ("Alice A", String(repeating: "x", count: OldAccountFile.lineLimit), "longer than"),
        ]
    )
    func malformed(part: String, with other: String, why: String) throws {
        let file = OldAccountFile("\(Self.alice)\n\(Self.alice.replacing(part, with: other))\n")
        #expect(file.accounts.count == 1)
        let problem = try #require(file.problems.first)
        #expect(problem.place == "/etc/aadpasswd:2" && problem.text.contains(why) && !problem.remedy.isEmpty)
    }

    @Test("However the file is cut, a line is an account or a problem; more lines than the limit are a problem")
    func limits() {
        for length in 1..<Self.alice.utf8.count {
            let file = OldAccountFile(String(Self.alice.prefix(length)))
            #expect(file.accounts.count + file.problems.count == 1)
        }
        let file = OldAccountFile(String(repeating: Self.alice + "\n", count: OldAccountFile.accountLimit + 2))
        #expect(file.accounts.count == OldAccountFile.accountLimit && file.problems.count == 1)
    }
}
