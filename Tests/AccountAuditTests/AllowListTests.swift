// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import AccountAudit
@testable import Integration

struct AllowListTests {
    private let path = "/etc/entralogin/allowed-accounts"

    private func list(_ text: String) -> AllowList {
        var list = AllowList()
        list.read(text, path)
        return list
    }

    @Test("A line allows the ways that it names to the account that it names, and no others")
    func allowed() {
        let list = list("# ours\n\nbreakglass keys sudo # in the safe\r\n  root\tpassword\n")
        #expect(list.problems.isEmpty)
        #expect(list.allows(.keys, for: "breakglass") && list.allows(.sudo, for: "breakglass"))
        #expect(!list.allows(.password, for: "breakglass"))
        #expect(list.allows(.password, for: "root") && !list.allows(.keys, for: "root"))
        #expect(!list.allows(.keys, for: "lisa"))
    }

    @Test(
        "Every line that says something else is named",
        arguments: [
            "lisa", "lisa all", "lisa keys,sudo", "lisa Keys", "lisa keys keys", "root keys",
            "\(String(repeating: "x", count: AllowList.nameLimit + 1)) keys",
            "lisa keys \(String(repeating: " ", count: AllowList.lineLimit))",
        ]
    )
    func malformed(line: String) {
        let list = list("root sudo\n\(line)\nrest password\n")
        #expect(list.problems.map(\.place) == ["\(path):2"])
        #expect(!list.allows(.keys, for: "lisa"))
    }

    @Test("A list that others could write is not gone by; an absent one is none")
    func owners() throws {
        var machine = WiredMachine()
        #expect(AllowList.read(path, on: machine) == nil)
        machine.texts[path] = "lisa keys\n"
        #expect(try #require(AllowList.read(path, on: machine)).allows(.keys, for: "lisa"))
        for status in [FileStatus(kind: .file, owner: 1001), FileStatus(kind: .file, mode: 0o664)] {
            machine.statuses[path] = status
            let list = try #require(AllowList.read(path, on: machine))
            #expect(list.problems.count == 1 && !list.allows(.keys, for: "lisa"))
        }
    }

    @Test("The list is bounded")
    func limit() {
        let lines = (0...AllowList.accountLimit).map { "u\($0) keys\n" }
        #expect(list(lines.joined()).problems.map(\.place) == ["\(path):\(AllowList.accountLimit + 1)"])
    }
}
