// SPDX-License-Identifier: Apache-2.0

import LinuxSystem
import TestSupport
import Testing

/// Queries to other name services, with a program in the place of getent(1).
@Suite struct NameServiceQueryTests {
    private let folder = TemporaryFolder()
    private var soon: Duration { SystemClock.sinceBoot() + .seconds(300) }

    private func query(_ script: String) throws -> NameServiceQuery {
        let path = folder("getent")
        try AtomicFile(path).replace(with: Array("#!/bin/sh\n\(script)\n".utf8), mode: 0o755)
        return NameServiceQuery(program: path)
    }

    @Test(
        "P5: a number gives the name that has it, a name its number, in either database; a name may begin with a minus"
    )
    func answers() throws {
        let user = try query(#"[ "$1 $2" = "passwd --" ] && echo "$3:*:70001:70001::/h:/bin/sh" || exit 2"#)
        #expect(user.number(of: "-x@corp.example", until: soon) == .somebody("70001"))
        #expect(user.holder(of: 70001, until: soon) == .somebody("70001"))
        let group = try query(#"[ "$1" = group ] && echo "theirs:*:5:" || exit 2"#)
        #expect(group.number(of: "theirs", until: soon) == .somebody("5"))
        #expect(group.holder(of: 5, until: soon) == .somebody("theirs"))
    }

    @Test("P8: no such key is nobody; anything else but a record is unknown, never nobody")
    func undecided() throws {
        #expect(try query("exit 2").number(of: "a@b.c", until: soon) == .nobody)
        for script in ["exit 1", "exit 3", "kill -9 $$", "echo word", "true"] {
            guard case .unknown = try query(script).number(of: "a@b.c", until: soon) else {
                Issue.record("\(script): decided")
                continue
            }
        }
    }
}
