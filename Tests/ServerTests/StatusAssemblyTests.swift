// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Testing
import Wire

@testable import AzureServices
@testable import Server

@Suite struct StatusAssemblyTests {
    @Test("Where all is in order the report says ready, and nothing is degraded")
    func fine() throws {
        var standing = try Standing()
        standing.accounts.enrolled = 12
        standing.accounts.retired = 1
        let report = standing.report
        #expect(report.isReady)
        #expect(report.degraded.isEmpty)
        #expect(report.warnings.isEmpty)
        #expect(report.version == ProductVersion.text)
        #expect(report.startedAt == 1_600_000_000)
        #expect(report.machine?.name == "vm1")
        #expect(report.machine?.kind == "vm")
        #expect(report.machine?.tenant == contoso)
        #expect(report.machine?.isFromDisk == false)
        #expect(report.tokens == [TokenReport(audience: "https://pas.windows.net", expiresAt: 1_700_003_600)])
        #expect(report.keys.count == 2)
        #expect(report.keys.ageSeconds == 60)
        #expect(report.keys.sources == ["jwks"])
        #expect(report.accounts.enrolled == 12)
        #expect(report.accounts.retired == 1)
        #expect(report.grants == 3)
        #expect(report.sessions == 4)
        #expect(report.memoryBytes == 9_000_000)
        #expect(report.stackRefusal == nil)
    }

    @Test("Without the machine, without keys or with a bad store it is not ready")
    func notReady() throws {
        var standing = try Standing()
        standing.machineState = AzureStatus.MachineState(machine: nil, isFromStore: false, age: nil, fault: nil)
        #expect(!standing.report.isReady)
        #expect(standing.report.machine == nil)
        standing = try Standing()
        standing.keyring = AccessStatus.Keyring(
            keys: 0,
            rotatedOut: 0,
            age: nil,
            isStale: false,
            isPublished: true,
            sources: []
        )
        #expect(!standing.report.isReady)
        standing = try Standing()
        standing.accounts.fault = "bad"
        #expect(!standing.report.isReady)
        #expect(standing.report.degraded == ["bad"])
    }

    @Test("A stack stamp that does not hold is said with its particulars")
    func stack() throws {
        var standing = try Standing()
        standing.stackRefusal = Denial(.stackNotVerified, detail: "sshd_config has changed")
        #expect(standing.report.stackRefusal == "sshd_config has changed")
        #expect(standing.report.degraded == ["the stack stamp does not hold: sshd_config has changed"])
        standing.stackRefusal = Denial(.stackNotVerified)
        #expect(standing.report.stackRefusal == DenialReason.stackNotVerified.text)
    }

    @Test("Grave warnings are degraded, others are not")
    func degraded() throws {
        var standing = try Standing()
        standing.accounts.warnings = ["the disk is full"]
        standing.accounts.shadowed = [try name("alice@contoso.com")]
        standing.accounts.shadowedGroups = ["entra_users"]
        let report = standing.report
        #expect(report.warnings.map(\.id.rawValue) == ["disk", "shadowed", "shadowed-group"])
        #expect(report.degraded == report.warnings.filter(\.isGrave).map(\.text))
        #expect(report.degraded.count == 1)
    }

    @Test("Each standing of a checker has its word, its latency and its fault")
    func checkers() throws {
        let fault = AccessCheckFault(.unreachable, detail: "no route")
        var standing = try Standing()
        standing.checkers = [
            .init(name: "pas", standing: .notServing(fault, wait: .seconds(5)), latency: .milliseconds(1_250)),
            .init(name: "arm", standing: .failing(AccessCheckFault(.throttled, detail: "")), latency: nil),
            .init(name: "arm-roleassignments", standing: .serving, latency: .microseconds(900)),
            .init(name: "x", standing: .untried, latency: nil),
        ]
        #expect(
            standing.report.checkers == [
                CheckerReport(
                    name: "pas",
                    state: "set-aside",
                    lastLatencyMilliseconds: 1_250,
                    lastError: "unreachable: no route",
                    lastErrorCode: "unreachable"
                ),
                CheckerReport(name: "arm", state: "failing", lastError: "throttled", lastErrorCode: "throttled"),
                CheckerReport(name: "arm-roleassignments", state: "ready", lastLatencyMilliseconds: 0),
                CheckerReport(name: "x", state: "untried"),
            ]
        )
    }

    @Test("A token that could not be had shows why")
    func tokens() throws {
        var standing = try Standing()
        let fault = AccessCheckFault(.noManagedIdentity, detail: "HTTP 400")
        standing.tokens = [.init(audience: "a", remaining: nil, fault: fault)]
        let expected = TokenReport(
            audience: "a",
            lastError: "no-managed-identity: HTTP 400",
            lastErrorCode: "no-managed-identity"
        )
        #expect(standing.report.tokens == [expected])
    }

    @Test("Who gets in is counted once, who is refused at the stage that refused")
    func decisions() throws {
        var standing = try Standing()
        standing.tallies = [
            .init(event: "certificate", verdict: "allow", reason: nil, count: 9),
            .init(event: "account", verdict: "allow", reason: nil, count: 7),
            .init(event: "session-opened", verdict: "allow", reason: nil, count: 6),
            .init(event: "certificate", verdict: "deny", reason: "wrong-tenant", count: 2),
            .init(event: "account", verdict: "deny", reason: "role-not-assigned", count: 3),
            .init(event: "session-opened", verdict: "deny", reason: "home-refused", count: 1),
            .init(event: "account", verdict: "deny", reason: nil, count: 1),
            .init(event: "access-check", verdict: "deny", reason: "role-not-assigned", count: 50),
        ]
        let decisions = standing.report.decisions
        #expect(decisions.allowed == 7)
        #expect(
            decisions.denied == ["wrong-tenant": 2, "role-not-assigned": 3, "home-refused": 1, "unknown": 1]
        )
    }

    @Test("At most a hundred hidden accounts are listed: a report fits a frame")
    func shadowed() throws {
        var standing = try Standing()
        let long = String(repeating: "a", count: 90)
        standing.accounts.shadowed = try (0..<1_000).map { try name("\(long)\($0)@contoso.com") }
        #expect(standing.report.accounts.shadowed.count == 100)
        #expect(ReportText.json(standing.report).count < 60_000)
    }
}
