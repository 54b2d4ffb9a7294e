// SPDX-License-Identifier: Apache-2.0

internal import Doctor
internal import Glibc
internal import Integration
internal import Settings

extension Tool {
    static let configure = "/usr/libexec/entralogin/configure"

    /// Replaces this process with configure, which reports everything itself; returns only if that cannot be run.
    func setup(_ verb: SetupVerb) -> ExitStatus { becomeConfigure(verb.argument) }

    func becomeConfigure(_ words: String...) -> ExitStatus {
        var arguments: [UnsafeMutablePointer<CChar>?] = ([Tool.configure] + words).map { strdup($0) } + [nil]
        execv(Tool.configure, &arguments)
        let why = String(cString: strerror(errno))
        for argument in arguments { free(argument) }
        Output.complain("entraloginctl: \(Tool.configure) cannot be run: \(why)\n  do: install the package again")
        return .refused
    }

    /// Where configure records how to undo a run that has not ended (packaging/integration/journal.sh).
    static let unfinished = "/etc/entralogin/unfinished"

    /// A run of configure was killed, or is at work now.
    var isBeingSetUp: Bool { machine.exists(Tool.unfinished) }

    func unfinishedFindings() -> [Finding] {
        guard isBeingSetUp else { return [] }
        return [
            Finding(
                .setupUnfinished,
                .warning,
                "a change of sshd, PAM, sudo or the name service did not end",
                place: Tool.unfinished,
                remedy: "\(Tool.configure) --recover takes it back, as the next boot does"
            )
        ]
    }

    /// Prints a line for each obstacle: subject, file, line number and text, separated by tabs, with `-` for none.
    func setupObstacles() -> ExitStatus {
        let settings = self.settings
        let takesAnyDomain = settings.findings.isEmpty && settings.accounts.domains.isEmpty
        show(SetupSurvey(on: machine, takesAnyDomain: takesAnyDomain).reasons()) { reasons in
            reasons.map { reason in
                [reason.subject.rawValue, reason.file ?? "-", reason.line.map(String.init) ?? "-", reason.text].map(
                    printable
                )
                .joined(separator: "\t")
            }
        }
        return .success
    }

    /// Why the package did not set up the integration here: the machine was hardened by hand, or another product
    /// decides about the same users.
    func setupFindings() -> [Finding] {
        let survey = machine.run(Tool.configure, ["--survey"])
        guard survey.status == 0 else { return [] }
        return survey.output.split(separator: "\n").map { reason in
            Finding(
                .setupByHand,
                .warning,
                "not wired by the package: \(reason)",
                remedy: "entraloginctl setup --dry-run shows what would change; setup --apply does it"
            )
        }
    }
}
