// SPDX-License-Identifier: Apache-2.0

internal import AccountAudit
internal import Settings

// Who gets in without Entra.

extension Tool {
    /// A list that cannot be understood is not used: it may allow what its author did not mean to allow.
    func auditAccounts(allowing file: String?) -> ExitStatus {
        let list = AllowList.read(file ?? AllowList.standard, on: machine)
        if let file, list == nil {
            Output.complain("entraloginctl: \(printable(file)) is not there")
            return .usage
        }
        if let problems = list?.problems, !problems.isEmpty {
            for problem in problems {
                Output.complain("entraloginctl: \(printable("\(problem.place): \(problem.text)"))")
            }
            return .usage
        }
        let report = AccountAudit(
            on: machine,
            allowing: list ?? AllowList(),
            today: now / 86_400,
            domains: settings.accounts.domains
        ).run()
        show(report) { AuditText(style: style).lines($0) }
        return report.isWell ? .success : .refused
    }
}
