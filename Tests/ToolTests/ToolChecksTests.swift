// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing
import Wire

@testable import entraloginctl

struct ToolChecksTests {
    private func trial(_ change: (inout TrialReport) -> Void) -> Bool {
        var certificate = CertificateReport(isAcceptable: true, text: "")
        certificate.objectID = "0b1e"
        var report = TrialReport(certificate: certificate)
        report.explanation = Explanation(name: "a@b.c", steps: [Explanation.Step("role", .unknown, "asked then")])
        var check = RoleCheckReport(name: "a@b.c", objectID: "0b1e")
        check.role = "user"
        report.roleCheck = check
        change(&report)
        report.conclude()
        return report.wouldGetIn
    }

    @Test("P5: a dry sign-in succeeds only where certificate, name, object and role all say yes")
    func conclusions() {
        #expect(trial { _ in })
        #expect(trial { $0.boundObjectID = "0b1e" })
        #expect(!trial { $0.boundObjectID = "0b1f" })
        #expect(!trial { $0.certificate.isAcceptable = false })
        #expect(!trial { $0.roleCheck?.role = "none" })
        #expect(!trial { $0.roleCheck?.role = nil })
        #expect(!trial { $0.roleCheck = nil })
        #expect(!trial { $0.explanation = nil })
        #expect(
            !trial {
                $0.explanation = Explanation(name: "a", steps: [Explanation.Step("stack", Denial(.stackNotVerified))])
            }
        )
    }
}
