// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing
import Wire

@testable import AccountDirectory
@testable import AzureServices
@testable import Server

/// The daemon's state: without a fault until a test changes a part of it.
struct Standing {
    static let key = AccessStatus.Source(name: "jwks", keys: 2, age: 60, fault: nil)

    var machineState: AzureStatus.MachineState
    var tokens = [AzureStatus.Token(audience: "https://pas.windows.net", remaining: .seconds(3600), fault: nil)]
    var checkers = [
        AzureStatus.Checker(name: "pas", standing: .serving, latency: .milliseconds(120)),
        AzureStatus.Checker(name: "arm", standing: .untried, latency: nil),
    ]
    var remark: String?
    var confirmationFault: AccessCheckFault?
    var directory: AzureStatus.Checker?
    var memberships: AzureStatus.Checker?
    var keyring = AccessStatus.Keyring(
        keys: 2,
        rotatedOut: 0,
        age: 60,
        isStale: false,
        isPublished: true,
        sources: [key]
    )
    var revocation: AccessStatus.Revocation?
    var tallies: [AccessStatus.Tally] = []
    var accounts = AccountReport()
    var stackRefusal: Denial?
    var audit: AuditReport?
    var records: RecordsReport?

    init() throws {
        machineState = AzureStatus.MachineState(
            machine: try Standing.machine(),
            isFromStore: false,
            age: .seconds(10),
            fault: nil
        )
    }

    static func machine() throws -> Machine {
        let resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1"
        return Machine(
            kind: .virtualMachine,
            resource: try #require(ResourceID(resource)),
            tenant: try #require(TenantID(contoso)),
            name: "vm1",
            cloud: "AzurePublicCloud"
        )
    }

    var azure: AzureStatus {
        var azure = AzureStatus(machine: machineState, tokens: tokens, checkers: checkers, remark: remark)
        azure.confirmations.fault = confirmationFault
        azure.directory = directory
        azure.memberships = memberships
        return azure
    }

    var access: AccessStatus {
        AccessStatus(
            lastHour: tallies,
            cachedDecisions: 1,
            questionsUnderWay: 0,
            openSessions: 4,
            administrators: 1,
            verifiedProcesses: 0,
            keyring: keyring,
            revocation: revocation
        )
    }

    var warnings: [ReportedWarning] {
        StatusWarnings(azure: azure, access: access, accounts: accounts, audit: audit, records: records).all
    }

    var report: StatusReport {
        var assembly = StatusAssembly(
            azure: azure,
            access: access,
            accounts: accounts,
            grants: 3,
            stackRefusal: stackRefusal,
            now: UnixTime(seconds: 1_700_000_000),
            startedAt: 1_600_000_000,
            memoryBytes: 9_000_000
        )
        assembly.audit = audit
        assembly.records = records
        return assembly.report
    }
}
