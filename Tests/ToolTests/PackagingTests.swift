// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Integration
import Testing

@Suite("What shell scripts and pages have from the tables of C and Swift") struct PackagingTests {
    private func text(_ path: String) throws -> String {
        let top = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try LiveMachine(runner: SubprocessRunner()).text(of: "/\(top)/\(path)")
    }

    /// The lines of a stage, with one blank between two words.
    private func lines(_ stage: String, in text: String) -> [String] {
        text.replacing("\\\n", with: " ").split(separator: "\n").map { $0.split(separator: " ") }
            .filter { $0.first == stage[...] }.map { $0.dropFirst().joined(separator: " ") }
    }

    @Test("P8: The lines that are put into PAM, and those of the manual page, are the ones that the check wants")
    func pam() throws {
        let table = try text("packaging/pam/lines")
        let page = try text("packaging/man/pam_entralogin.8")
        let range = PosixID.userRange
        let homes = [
            "[success=ignore default=1] pam_succeed_if.so quiet uid >= \(range.lowerBound) uid <= \(range.upperBound)",
            "optional pam_mkhomedir.so umask=0077",
        ]
        for (stage, more) in [("account", []), ("session", homes)] {
            #expect(lines(stage, in: table) == PAMRule.lines(stage) + more)
            #expect(lines(stage, in: page) == PAMRule.lines(stage))
        }
    }

    @Test("Shell names the same services for step-up, and looks at the files of the same that give other rights")
    func services() throws {
        let sudo = try text("packaging/integration/sudo.sh")
        #expect(sudo.contains("for service in \(PAMServices.stepUp.joined(separator: " ")); do"))
        let survey = try text("packaging/integration/survey.sh")
        #expect(survey.contains("for service in sshd \(PAMServices.stepUp.joined(separator: " ")) su su-l login; do"))
    }
}
