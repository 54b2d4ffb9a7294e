// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import Identity
internal import Synchronization
internal import Wire

/// `entraloginctl check`: asks every configured checker now, without any cache. A yes has no effect; a no, or a role
/// below administrator, ends what it ends anywhere (P2).
final class RoleCheckService: Sendable {
    /// For all checkers together: the tool waits 20 s for the three timeouts here.
    private static let timeout = Duration.seconds(13)
    /// For Microsoft Graph after them.
    private static let directoryTimeout = Duration.seconds(3)
    /// For the metadata service before that, where it has not answered since the start.
    private static let machineTimeout = Duration.seconds(3)

    private let sources: ReportSources
    private let lastDispute = Mutex<RoleDispute?>(nil)

    init(_ sources: ReportSources) { self.sources = sources }

    /// The last dispute; nil once a check of that user found none.
    var dispute: RoleDispute? { lastDispute.withLock { $0 } }

    /// `text` is a name that has signed in here, or anything where an object id is given.
    func check(_ text: String, objectID: String) async -> Response {
        let known = UserName(folding: text).flatMap(sources.accounts.view().enrolled(named:))
        guard let person = objectID.isEmpty ? known?.identity.objectID : ObjectID(objectID) else {
            return objectID.isEmpty ? .notFound : .malformed
        }
        var report = RoleCheckReport(
            name: DenialText.shorten(DenialText.clean(known?.account.name.text ?? text), to: 128),
            objectID: person.description
        )
        // As in a decision, never the stored machine: this disk may be a copy of another machine's.
        let limit = sources.time.bootTime().advanced(by: RoleCheckService.machineTimeout)
        guard let machine = try? await sources.azure.machines.machine(by: limit) else {
            return .document(ReportText.json(report))
        }
        report.resource = machine.resource.path
        let roles = await ask(about: person, on: machine, &report)
        let outcome = await askDirectory(about: person, on: machine, &report) ?? roles
        if let (answer, correlation) = outcome {
            await sources.access.authorizer.takeRefusal(answer, of: person, on: machine, correlation: correlation)
        }
        note(report, of: person)
        return .document(ReportText.json(report))
    }

    /// Fills in the answers; returns what would decide a sign-in: the first answer, confirmed where that is needed.
    private func ask(
        about person: ObjectID,
        on machine: Machine,
        _ report: inout RoleCheckReport
    ) async -> (AccessAnswer, CorrelationID)? {
        let checker = sources.azure.checker
        let configured = Set(checker.status.map(\.name))
        let names = checker.names
        var first: (AccessAnswer, CorrelationID)?
        var confirmation: Result<AccessAnswer, EndpointFault>?
        for name in names {
            let correlation = sources.access.correlationID()
            let start = sources.time.bootTime()
            let question = AccessQuestion(
                objectID: person,
                machine: machine,
                correlation: correlation,
                deadline: start.advanced(by: RoleCheckService.timeout / names.count)
            )
            let outcome = await self.ask(name, question)
            if name == checker.confirmerName { confirmation = outcome }
            if case .success(let answer) = outcome, first == nil, configured.contains(name) {
                first = (answer, correlation)
            }
            report.answers.append(row(name, outcome, on: machine, correlation, since: start))
        }
        let decisive = first.map { answer, correlation in
            (confirmation.map { checker.combine(answer, with: $0) } ?? answer, correlation)
        }
        report.confirmation = decisive.map { $0.0.confirmation.word }
        let isOpen = decisive.map { $0.0.role == nil && !$0.0.confirmation.isFinal } ?? true
        report.role = isOpen ? nil : decisive.map { $0.0.role?.rawValue ?? "none" }
        report.isDisputed = Set(report.answers.compactMap(\.role)).count > 1
        return decisive
    }

    /// A blocked account would decide a sign-in; without an answer from Graph, nothing would.
    private func askDirectory(
        about person: ObjectID,
        on machine: Machine,
        _ report: inout RoleCheckReport
    ) async -> (AccessAnswer, CorrelationID)? {
        guard let directory = sources.azure.directory else { return nil }
        let correlation = sources.access.correlationID()
        let start = sources.time.bootTime()
        let question = AccessQuestion(
            objectID: person,
            machine: machine,
            correlation: correlation,
            deadline: start.advanced(by: RoleCheckService.directoryTimeout)
        )
        var blocked: AccessAnswer?
        var state: AccountState?
        var fault: AccessCheckFault?
        do throws(AccessCheckFault) {
            state = try await directory.state(question, ignoringSilence: true)
        } catch { fault = error }
        var row = AccountAnswer(latencyMilliseconds: start.duration(to: sources.time.bootTime()).wholeMilliseconds)
        row.state = state?.rawValue
        row.reason = fault?.reason.rawValue
        row.text = fault.map(AdministratorRemedy.sentence)
        row.remedy = fault.map { AdministratorRemedy(machine: machine).text(for: $0) }
        report.account = row
        if let state, state.isBlocked {
            blocked = AccessAnswer(blocked: state)
            report.role = "none"
        } else if fault != nil, report.role != "none" {
            report.role = nil
        }
        return blocked.map { ($0, correlation) }
    }

    private func ask(_ name: String, _ question: AccessQuestion) async -> Result<AccessAnswer, EndpointFault> {
        let checker = sources.azure.checker
        if name == checker.confirmerName { return await checker.askConfirmer(question, ignoringSilence: true) }
        do throws(AccessCheckFault) {
            return .success(try await checker.check(question, via: name))
        } catch {
            return .failure(.failing(error))
        }
    }

    private func row(
        _ name: String,
        _ outcome: Result<AccessAnswer, EndpointFault>,
        on machine: Machine,
        _ correlation: CorrelationID,
        since start: BootTime
    ) -> CheckerAnswer {
        var row = CheckerAnswer(
            checker: name,
            latencyMilliseconds: start.duration(to: sources.time.bootTime()).wholeMilliseconds,
            correlationID: correlation.description
        )
        switch outcome {
        case .success(let answer): row.role = answer.role?.rawValue ?? "none"
        case .failure(let error):
            row.reason = error.fault.reason.rawValue
            row.text = AdministratorRemedy.sentence(error.fault)
            row.remedy = AdministratorRemedy(machine: machine).text(for: error.fault)
        }
        return row
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
