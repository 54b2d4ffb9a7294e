// SPDX-License-Identifier: Apache-2.0

import Authorization
import Integration
import Settings
import Testing
import Wire

@testable import entraloginctl

struct DaemonFindingsTests {
    private func findings(_ change: (inout StatusReport) -> Void) -> [String: Finding] {
        var report = StatusReport(version: "1", startedAt: 0, isReady: true)
        report.machine = MachineReport(cloud: "c", kind: "vm", resource: "/subscriptions/x", tenant: "t", name: "web1")
        report.keys.count = 2
        report.clockAheadSeconds = 0
        change(&report)
        let all = DaemonFindings.findings(of: report, toolVersion: "1")
        return Dictionary(all.map { ($0.id.text, $0) }) { first, _ in first }
    }

    @Test("A healthy daemon has only good findings")
    func healthy() {
        #expect(findings { _ in }.values.allSatisfy { $0.severity == .good })
        #expect(findings { _ in }["daemon.keys"]?.found == "2 signing keys of Entra")
        #expect(findings { $0.keys.count = 1 }["daemon.keys"]?.found == "1 signing key of Entra")
    }

    @Test("Each thing that is wrong is found, with a remedy")
    func wrong() {
        #expect(findings { $0.machine = nil }["daemon.machine-unknown"]?.severity == .error)
        #expect(findings { $0.machine?.isFromDisk = true }["daemon.machine"]?.severity == .error)
        let untried = CheckerReport(name: "pas", state: "untried")
        #expect(findings { $0.checkers = [untried] }["daemon.checker.pas"]?.severity == .warning)
        #expect(findings { $0.keys.count = 0 }["daemon.no-authority-keys"]?.severity == .error)
        #expect(findings { $0.keys.isStale = true }["daemon.keys-stale"]?.severity == .warning)
        #expect(findings { $0.version = "0" }["daemon.version"]?.remedy.contains("restart") == true)
        let failing = CheckerReport(
            name: "pas",
            state: "failing",
            lastError: "unreachable: timed out",
            lastErrorCode: "unreachable"
        )
        #expect(findings { $0.checkers = [failing] }["daemon.checker.pas"]?.found.contains("timed out") == true)
    }

    @Test("P16: keys that nobody could ask for yet are a note beside the metadata service's fault")
    func keysLater() {
        let all = findings { report in
            report.machine = nil
            report.keys.count = 0
            report.keys.lastError = nil
            report.warnings = [
                ReportedWarning(id: WarningID(.metadataClosed), isGrave: true, text: "closed", remedy: "open it")
            ]
        }
        #expect(all["daemon.keys"]?.severity == .note)
        #expect(all.values.filter { $0.severity >= .warning }.map(\.id.text) == ["daemon.metadata-closed"])
    }

    @Test("P16: where ClientID= or Proxy= is set, the remedy names that setting and its line, and no other cure first")
    func settingsFit() throws {
        let text = "[Azure]\nClientID=22222222-2222-4222-8222-222222222222\nProxy=http://127.0.0.1:9\n"
        let read = EffectiveSettings.read([SettingsText(path: "/etc/a.conf", text: text)])
        let settings = ToolSettings(try read.get(), [])
        let identity = Finding(.daemon(warning: "no-managed-identity"), .error, "none", remedy: "az vm identity assign")
        let other = settings.fitting(identity)
        #expect(other.place == "/etc/a.conf:2" && other.remedy.hasPrefix("ClientID= names the identity 22222222-"))
        let network = Finding(
            .daemon(warning: "unreachable"),
            .error,
            "none",
            remedy: "open it, or name a proxy: Proxy= in [Azure]"
        )
        #expect(
            settings.fitting(network).remedy.hasPrefix("see first that the proxy that is set (/etc/a.conf:3) answers")
        )
        let unset = ToolSettings(EffectiveSettings(), [])
        #expect(unset.fitting(identity) == identity && unset.fitting(network) == network)
    }

    @Test("A missing application is found once, with the daemon's remedy, and not as a missing identity")
    func application() {
        let all = findings { report in
            report.tokens = [TokenReport(audience: "a", lastError: "application-missing: imds: no service principal")]
            report.checkers = [
                CheckerReport(
                    name: "pas",
                    state: "set-aside",
                    lastError: "application-missing: imds: none",
                    lastErrorCode: "application-missing"
                ),
                CheckerReport(name: "arm", state: "ready", lastLatencyMilliseconds: 12),
            ]
            report.warnings = [
                ReportedWarning(
                    id: WarningID(.applicationMissing),
                    isGrave: false,
                    text: "missing",
                    remedy: "az ad sp create"
                )
            ]
        }
        #expect(all.values.filter { $0.severity >= .warning }.map(\.id.text) == ["daemon.application-missing"])
        #expect(all["daemon.application-missing"]?.remedy == "az ad sp create")
        #expect(all["daemon.checker.pas"]?.severity == .note)
        #expect(all["daemon.checker.arm"]?.found == "arm answers in 12 ms")
        #expect(all.values.allSatisfy { !$0.remedy.contains("identity assign") })
    }

    @Test("People whom Azure gave no role are a note that names where a role counts")
    func roles() throws {
        let finding = try #require(findings { $0.decisions.denied["role-not-assigned"] = 3 }["daemon.role-scope"])
        #expect(finding.severity == .note && finding.found.contains("3 times"))
        #expect(finding.remedy.hasSuffix("--scope /subscriptions/x"))
    }

    @Test("A machine that is not known is said once: by the warning that knows why, where there is one")
    func machineOnce() {
        let closed = ReportedWarning(id: WarningID(.metadataClosed), isGrave: true, text: "closed", remedy: "r")
        let all = findings { report in
            report.machine = nil
            report.warnings = [closed]
        }
        #expect(all["daemon.machine-unknown"] == nil && all["daemon.metadata-closed"]?.severity == .error)
    }

    @Test(
        "P16: a clock that is behind, or ahead by a certificate's time, keeps everybody out; one that is less ahead nobody"
    )
    func clock() {
        #expect(findings { $0.clockAheadSeconds = 600 }["daemon.clock"]?.found.contains("10 min ahead of") == true)
        #expect(findings { $0.clockAheadSeconds = 600 }["daemon.clock"]?.severity == .warning)
        for seconds: Int64 in [-600, 3500, 86_400, -86_400] {
            let finding = findings { $0.clockAheadSeconds = seconds }["daemon.clock"]
            #expect(finding?.severity == .error && finding?.keepsOut == .everybody)
        }
        #expect(findings { $0.clockAheadSeconds = 1 }["daemon.clock"]?.severity == .good)
        #expect(findings { $0.clockAheadSeconds = nil }["daemon.clock"] == nil)
    }

    @Test("The daemon's own warnings are kept, but nothing is said twice")
    func warnings() {
        let store = ReportedWarning(id: WarningID(.storeUnreadable), isGrave: true, text: "t", remedy: "r")
        #expect(findings { $0.warnings = [store] }["daemon.store-unreadable"]?.severity == .error)
        var report = StatusReport(version: "1", startedAt: 0, isReady: true)
        report.keys.isStale = true
        report.warnings = [ReportedWarning(id: .keysStale, isGrave: false, text: "stale", remedy: "")]
        let all = DaemonFindings.findings(of: report, toolVersion: "1")
        #expect(all.count { $0.id.text == "daemon.keys-stale" } == 1)
    }
}
