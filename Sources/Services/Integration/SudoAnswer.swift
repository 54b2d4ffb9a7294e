// SPDX-License-Identifier: Apache-2.0

/// What an account may run as another user, as sudo reports it.
package enum SudoRights: String, Sendable, Codable {
    case none
    case some
    /// Every command.
    case all
    /// sudo's answer was not understood.
    case unknown
}

/// What an account may do by sudo's own report (`sudo -l -U NAME`, sudo(8)), whatever the source of its rules.
package struct SudoAnswer: Sendable {
    package static let programs = ["/usr/bin/sudo", "/usr/local/bin/sudo"]

    package let rights: SudoRights

    /// Nil if there is no sudo on this machine.
    package static func ask(about name: String, on machine: any HostView) -> SudoAnswer? {
        guard let program = programs.first(where: { machine.exists($0) }) else { return nil }
        return SudoAnswer(machine.run(program, ["-n", "-l", "-U", name]))
    }

    init(_ result: ProgramResult) {
        let said = result.output + result.complaint
        guard result.status != nil else {
            rights = .unknown
            return
        }
        let isHeading = { (line: Substring) in line.contains(" may run the following commands") }
        guard let line = result.output.lines.firstIndex(where: isHeading) else {
            rights = said.contains(" is not allowed to run sudo") ? .none : .unknown
            return
        }
        let commands = result.output.lines[(line + 1)...].filter { !$0.isEmpty }
        guard result.status == 0, !commands.isEmpty else {
            rights = .unknown
            return
        }
        rights = commands.contains(where: SudoAnswer.isEverything) ? .all : .some
    }

    /// `    (ALL : ALL) NOPASSWD: ALL, !/bin/su`: the word `ALL` after the target users and the tags.
    package static func isEverything(_ line: Substring) -> Bool {
        let behind = line.lastIndex(of: ")").map { line[line.index(after: $0)...] } ?? line
        return behind.split { $0 == " " || $0 == "," || $0 == "\t" }.contains("ALL")
    }
}
