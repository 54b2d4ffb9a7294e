// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AccountAudit
@testable import Integration

struct AccountFilesTests {
    private func read(_ passwd: String, _ shadow: String? = nil, today: Int64 = 20_000) -> AccountFiles {
        AccountFiles(passwd: passwd, shadow: shadow, today: today)
    }

    @Test(
        "A password is locked, empty or set, by shadow where passwd says x",
        arguments: [
            ("x", "!", .locked), ("x", "!$6$salt$hash", .locked), ("x", "*", .locked), ("x", "!*", .locked),
            ("x", "", .empty), ("x", "$y$j9T$salt$hash", .set), ("x", "oddly", .set), ("", "!", .empty),
            ("$6$salt$hash", "!", .set), ("*", "$6$salt$hash", .locked), ("x", nil, .locked),
        ] as [(String, String?, AccountFiles.Password)]
    )
    func passwords(passwd: String, shadow: String?, expected: AccountFiles.Password) throws {
        let files = read(
            "lisa:\(passwd):1001:1001::/home/lisa:/bin/bash\n",
            shadow.map { "lisa:\($0):19000:0:99999:7:::\n" }
        )
        let entry = try #require(files.entries.first)
        #expect(entry.password == expected)
        #expect(files.problems.isEmpty)
    }

    @Test("An account has ended on the day after the one that shadow names, and without one never")
    func expiry() {
        let passwd = "lisa:x:1001:1001::/home/lisa:\n"
        for (day, isExpired) in [("20000", false), ("19999", true), ("", false), ("-1", false), ("0", true)] {
            let files = read(passwd, "lisa:$6$a:1::::\(""):\(day):\n")
            #expect(files.entries.map(\.isExpired) == [isExpired], "\(day)")
        }
        #expect(read(passwd).entries.map(\.shell) == ["/bin/sh"])
    }

    @Test(
        "A line that is not one of passwd(5) is no account, and is named with its number",
        arguments: [
            "lisa", "lisa:x:1001:1001::/home/lisa", "lisa:x:1001:1001::/home/lisa:/bin/sh:more", ":x:1:1::/:/bin/sh",
            "lisa:x:one:1::/:/bin/sh", "lisa:x:1:one::/:/bin/sh", "lisa:x:-1:1::/:/bin/sh",
            "lisa:x:4294967296:1::/:/bin/sh", "+::::::", "-lisa::::::", " ",
            "lisa:x:1:1:\(String(repeating: "x", count: AccountFiles.lineLimit)):/:/bin/sh",
        ]
    )
    func malformed(line: String) {
        let files = read("# comment\n\(line)\n\nroot:x:0:0:root:/root:/bin/bash\n", "root:*:1::::::\n")
        #expect(files.entries.map(\.name) == ["root"])
        #expect(files.problems.map(\.place) == ["/etc/passwd:2"])
    }

    @Test("The same name twice, and a line that is not one of shadow(5), are named; the first line counts")
    func duplicates() {
        let files = read(
            "a:x:1:1::/:/bin/sh\na:x:0:0::/:/bin/sh\n",
            "a:*:1::::::\na::1::::::\nb:x\nc:x:1:::::never:\n"
        )
        #expect(files.entries.map(\.uid) == [1])
        #expect(files.entries.map(\.password) == [.locked])
        #expect(files.problems.map(\.place) == ["/etc/shadow:2", "/etc/shadow:3", "/etc/shadow:4", "/etc/passwd:2"])
    }

    @Test("More accounts than the limit are a problem, never left out in silence")
    func limit() {
        let lines = (0...AccountFiles.accountLimit).map { "u\($0):*:\($0):1::/:/bin/sh\n" }
        let files = read(lines.joined())
        #expect(files.entries.count == AccountFiles.accountLimit)
        #expect(files.problems.map(\.place) == ["/etc/passwd:\(AccountFiles.accountLimit + 1)"])
    }

    @Test("However a file is cut, what is read of it is an account or a problem")
    func truncated() {
        let text = "lisa:x:1001:1001:Lisa,,,:/home/lisa:/bin/bash"
        for length in 0..<text.utf8.count {
            let files = read(String(text.prefix(length)))
            #expect(files.entries.count + files.problems.count == (length == 0 ? 0 : 1))
        }
    }
}
