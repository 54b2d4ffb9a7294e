// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AccountDirectory
import Authorization
import AzureServices
import FoundationEssentials
import HTTPTransport
import Identity
import LinuxSystem
import OpenSSHCertificates
import Settings
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Server

@Suite struct ReportServiceTests {
    @Test("The status of a machine that knows nothing yet says so")
    func status() async throws {
        let report = try await ReportFixture().document(.statusReport, StatusReport.self)
        #expect(!report.isReady)
        #expect(report.machine == nil)
        #expect(report.stackRefusal == "no stamp")
        #expect(report.warnings.map(\.id.rawValue) == ["no-authority-keys"])
        #expect(report.checkers == [CheckerReport(name: "pas", state: "untried")])
        #expect(try #require(report.memoryBytes) > 1 << 20)
    }

    @Test("Explanations and examined certificates are documents, flushing is done")
    func others() async throws {
        let fixture = try ReportFixture()
        let explanation = try await fixture.document(.explain("alice@contoso.com"), Explanation.self)
        #expect(explanation.outcome == .refused)
        #expect(explanation.steps.contains { $0.reason == "stack-not-verified" })
        let test = Request.testCertificate(user: "", certificate: "nonsense")
        #expect(try await fixture.document(test, CertificateReport.self).reason == "certificate")
        #expect(await fixture.service.answer(.flush) == .done)
    }

    @Test(
        "P10: what the modules ask is no report",
        arguments: [Verb.lookUpName, .checkCertificate, .authorize, .openSession, .closeSession]
    )
    func notReports(_ verb: Verb) async throws {
        #expect(await (try ReportFixture()).service.answer(.sample(verb)) == .malformed)
    }
}
