// SPDX-License-Identifier: Apache-2.0

internal import Doctor
internal import Glibc
internal import Integration
internal import Settings

extension Tool {
    static let configure = "/usr/libexec/entralogin/configure"

    /// Becomes the program that does it, which says everything itself; returns only where it cannot be run.
    func setup(_ verb: SetupVerb) -> ExitStatus { becomeConfigure(verb.argument) }

    func becomeConfigure(_ words: String...) -> ExitStatus {
        var arguments: [UnsafeMutablePointer<CChar>?] = ([Tool.configure] + words).map { strdup($0) } + [nil]
        execv(Tool.configure, &arguments)
        let why = String(cString: strerror(errno))
        for argument in arguments { free(argument) }
        Output.complain("entraloginctl: \(Tool.configure) cannot be run: \(why)\n  do: install the package again")
        return .refused
    }

    /// Where configure notes the way back of a run that has not ended (packaging/wiring/journal.sh).
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

    /// A line each: subject, file, line number and text, apart by tabs, with `-` for what there is not.
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

    /// Why a package would leave this machine alone, where it is not wired: its owner hardened it by hand, or another
    /// product decides about the same people.
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
