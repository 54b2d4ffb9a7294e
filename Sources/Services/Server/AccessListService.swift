// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import Identity
internal import Wire

/// `entraloginctl access`: who holds a login role on this machine. Asks Azure now; the answer affects no sign-in.
struct AccessListService: Sendable {
    /// Below the tool's deadline, which is 20 s.
    private static let time = Duration.seconds(15)
    /// Bytes of all entries together, in JSON: a frame holds 64 KiB.
    static let limit = 56 << 10

    private let sources: ReportSources

    init(_ sources: ReportSources) { self.sources = sources }

    func answer() async -> Response {
        var report = AccessReport()
        let deadline = sources.time.bootTime().advanced(by: AccessListService.time)
        guard let machine = try? await sources.azure.machines.machine(by: deadline) else {
            report.fault = DenialReason.machineUnknown.text
            return .document(ReportText.json(report))
        }
        report.resource = machine.resource.path
        do throws(AccessCheckFault) {
            let correlation = sources.access.correlationID()
            let found = try await sources.azure.holders(of: machine, correlation: correlation, deadline: deadline)
            let names = sources.accounts.view().allEnrolled().map { ($0.identity.objectID.guid, $0.account.name.text) }
            let accounts = Dictionary(names, uniquingKeysWith: { first, _ in first })
            report.total = found.holders.count
            report.conditional = found.conditional
            report.denials = found.denials
            report.entries = fitting(found.holders.lazy.map { entry(of: $0, accounts) })
        } catch {
            report.fault = AdministratorRemedy.sentence(error)
            report.remedy = AdministratorRemedy(machine: machine).text(for: error)
        }
        return .document(ReportText.json(report))
    }

    /// The first entries, as many as one reply holds.
    private func fitting(_ entries: some Sequence<AccessEntry>) -> [AccessEntry] {
        var size = 0
        return entries.prefix { entry in
            size += ReportText.json(entry).count + 1
            return size <= AccessListService.limit
        }
    }

    private func entry(of holder: RoleHolder, _ accounts: [GUID: String]) -> AccessEntry {
        AccessEntry(
            objectID: holder.principal.text,
            kind: shown(holder.kind.isEmpty ? "unknown" : holder.kind),
            role: holder.role.rawValue,
            name: accounts[holder.principal],
            scopes: holder.scopes.prefix(4).map(shown)
        )
    }

    /// Text from Azure, cleaned and shortened for display.
    private func shown(_ text: String) -> String { DenialText.shorten(DenialText.clean(text), to: 256) }
}
