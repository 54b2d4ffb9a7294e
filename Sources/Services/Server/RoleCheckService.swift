// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import Identity
internal import Synchronization
internal import Wire

/// `entraloginctl check`: asks every configured checker now, past all caches. A yes has no effect on anybody; a no, and
/// less than administrator, end what they end anywhere (P2).
final class RoleCheckService: Sendable {
    /// For all checkers together: the tool waits 20 s, and somebody may be asked about twice.
    private static let patience = Duration.seconds(16)
    /// For the metadata service before that, where it has not answered since the start.
    private static let machinePatience = Duration.seconds(3)

    private let sources: ReportSources
    private let lastDispute = Mutex<RoleDispute?>(nil)

    init(_ sources: ReportSources) { self.sources = sources }

    /// The last dispute; nil once a check of that person found none.
    var dispute: RoleDispute? { lastDispute.withLock { $0 } }

    /// `text` is a name that has signed in here, or anything where an object id is given.
    func check(_ text: String, objectID: String) async -> Response {
        let known = UserName(folding: text).flatMap(sources.accounts.enrolled(named:))
        guard let person = objectID.isEmpty ? known?.identity.objectID : ObjectID(objectID) else {
            return objectID.isEmpty ? .notFound : .malformed
        }
        var report = RoleCheckReport(
            name: DenialText.shorten(DenialText.clean(known?.account.name.text ?? text), to: 128),
            objectID: person.description
        )
        // As in a decision, never the machine that was stored: this disk may be a copy of another one's.
        let limit = sources.time.bootTime().advanced(by: RoleCheckService.machinePatience)
        guard let machine = try? await sources.azure.machines.machine(by: limit) else {
            return .document(ReportText.json(report))
        }
        report.resource = machine.resource.path
        let outcome = await ask(about: person, on: machine, &report)
        if let (answer, correlation) = outcome {
            await sources.access.authorizer.takeRefusal(answer, of: person, on: machine, correlation: correlation)
        }
        note(report, of: person)
        return .document(ReportText.json(report))
    }

    /// Fills in the answers; returns the one that a sign-in would go by.
    private func ask(
        about person: ObjectID,
        on machine: Machine,
        _ report: inout RoleCheckReport
    ) async -> (AccessAnswer, CorrelationID)? {
        let names = sources.azure.checker.status.map(\.name)
        let remedies = AdministratorRemedy(machine: machine)
        var decisive: (AccessAnswer, CorrelationID)?
        var isOpen = true
        for name in names {
            let correlation = sources.access.correlationID()
            let start = sources.time.bootTime()
            let question = AccessQuestion(
                objectID: person,
                machine: machine,
                correlation: correlation,
                deadline: start.advanced(by: RoleCheckService.patience / names.count)
            )
            var row = CheckerAnswer(checker: name, latencyMilliseconds: 0, correlationID: correlation.description)
            do throws(AccessCheckFault) {
                let answer = try await sources.azure.checker.check(question, via: name)
                row.role = answer.role?.rawValue ?? "none"
                if isOpen { decisive = (answer, correlation) }
                isOpen = false
            } catch {
                row.reason = error.reason.rawValue
                row.text = AdministratorRemedy.sentence(error)
                row.remedy = remedies.text(for: error)
                // One that serves and fails ends the question; one that does not serve leaves it to the next.
                if !isPassedOver(name) { isOpen = false }
            }
            row.latencyMilliseconds = start.duration(to: sources.time.bootTime()).wholeMilliseconds
            report.answers.append(row)
        }
        report.role = decisive.map { $0.0.role?.rawValue ?? "none" }
        report.isDisputed = Set(report.answers.compactMap(\.role)).count > 1
        return decisive
    }

    private func isPassedOver(_ name: String) -> Bool {
        guard case .notServing = sources.azure.checker.status.first(where: { $0.name == name })?.standing else {
            return false
        }
        return true
    }

    private func note(_ report: RoleCheckReport, of person: ObjectID) {
        let said = report.answers.compactMap { answer in answer.role.map { "\(answer.checker) says \($0)" } }
        lastDispute.withLock { last in
            if report.isDisputed {
                last = RoleDispute(objectID: person, text: said.joined(separator: ", "))
            } else if last?.objectID == person, said.count > 1 {
                last = nil
            }
        }
    }
}
