// SPDX-License-Identifier: Apache-2.0

package import AccessControl
package import AccountDirectory
package import Authorization
package import AzureServices
package import Wire

/// The sources of the reports.
package struct ReportSources: Sendable {
    package var access: AccessControl
    package var accounts: AccountDirectory
    package var grants: any GrantRegistry
    package var azure: AzureConnection
    package var stamp: any StackStamp
    package var time: any TimeSource
    package var startedAt: Int64
    /// What was sent to the audit system; nil if that is off.
    package var audit: @Sendable () -> AuditReport?
    /// Records that have not reached the journal.
    package var records: @Sendable () -> RecordsReport?
    /// The settings in force: `Section.Key` and its value, without secrets.
    package var settings: @Sendable () -> [String: String]

    package init(
        access: AccessControl,
        accounts: AccountDirectory,
        grants: any GrantRegistry,
        azure: AzureConnection,
        stamp: any StackStamp,
        time: any TimeSource,
        startedAt: Int64,
        audit: @escaping @Sendable () -> AuditReport? = { nil },
        records: @escaping @Sendable () -> RecordsReport? = { nil },
        settings: @escaping @Sendable () -> [String: String] = { [:] }
    ) {
        self.access = access
        self.accounts = accounts
        self.grants = grants
        self.azure = azure
        self.stamp = stamp
        self.time = time
        self.startedAt = startedAt
        self.audit = audit
        self.records = records
        self.settings = settings
    }
}
