// SPDX-License-Identifier: Apache-2.0

package import AccountDirectory
package import Authorization
package import Identity
internal import Synchronization

/// Records changes in what sign-in depends on: the machine's identity in Azure, the integration, and Entra accounts
/// that local ones hide (P7). One record for each change, none while nothing changes.
package final class ChangeRecords: Sendable {
    private struct Seen {
        var machine: Machine?
        /// Nil before the first look; then the refusal, or nil while the integration is verified.
        var integration: Denial??
        var shadowed: Set<UserName> = []
    }

    private let log: any RecordLog
    private let registry: any AccountRegistry
    private let seen = Mutex(Seen())

    package init(log: any RecordLog, registry: any AccountRegistry) {
        self.log = log
        self.registry = registry
    }

    /// True if `look` would find another machine or another state of the integration than last time. Cheap.
    package func isNews(machine: Machine?, integration: Denial?) -> Bool {
        seen.withLock { seen in machine != nil && machine != seen.machine || seen.integration != .some(integration) }
    }

    /// Compares with the last look: the machine if it is known, why the integration is not verified, and the accounts.
    /// Call it now and then, one caller at a time.
    package func look(machine: Machine?, integration: Denial?, accounts: AccountReport) {
        let shadowed = Set(accounts.shadowed)
        let before = seen.withLock { seen in
            defer { seen = Seen(machine: machine ?? seen.machine, integration: .some(integration), shadowed: shadowed) }
            return seen
        }
        if let machine, machine != before.machine { record(machine, since: before.machine) }
        if before.integration != .some(integration) { record(integration: integration) }
        for name in shadowed.subtracting(before.shadowed).sorted() { recordShadowed(name) }
        for name in before.shadowed.subtracting(shadowed).sorted() {
            var record = DecisionRecord(.shadowed, .notice, "\(name): no local account is in its way any more")
            record.user = name.text
            log.record(record)
        }
    }

    private func record(_ machine: Machine, since before: Machine?) {
        // Users of another tenant cannot sign in from now on.
        let isOtherTenant = before.map { $0.tenant != machine.tenant } ?? false
        let message = DenialText.clean("This machine is \(machine.name), \(machine.kind.rawValue) in \(machine.cloud)")
        var record = DecisionRecord(.machine, isOtherTenant ? .warning : .information, message)
        record.detail = "\(machine.resource), tenant \(machine.tenant)"
        log.record(record)
    }

    private func record(integration: Denial?) {
        let message = integration == nil ? "Entra sign-in is on: the integration is verified" : "Entra sign-in is off"
        var record = DecisionRecord(.stack, integration == nil ? .information : .error, message)
        record.reason = integration?.reason
        record.detail = integration?.detail
        log.record(record)
    }

    private func recordShadowed(_ name: UserName) {
        // If the local account has gone meanwhile, the next look records that.
        guard case .none(let denial) = registry.view().standing(of: name) else { return }
        var record = DecisionRecord(.shadowed, .warning, "\(name) cannot sign in: \(denial.text)")
        record.user = name.text
        record.reason = denial.reason
        record.detail = denial.detail
        log.record(record)
    }
}
