// SPDX-License-Identifier: Apache-2.0

import Authorization
import FoundationEssentials
import Testing

@Suite struct ExplanationTests {
    @Test("The outcome is refused where a step is, unknown where one is, and else ok")
    func outcome() {
        let ok = Explanation.Step("name", .ok, "fine")
        let unknown = Explanation.Step("role", .unknown, "not asked")
        let refused = Explanation.Step("stack", Denial(.stackNotVerified))
        #expect(Explanation(name: "a", steps: [ok]).outcome == .ok)
        #expect(Explanation(name: "a", steps: [ok, unknown]).outcome == .unknown)
        #expect(Explanation(name: "a", steps: [unknown, refused, ok]).outcome == .refused)
    }

    @Test("Programs read the outcome of all steps; the document comes back as it was")
    func document() throws {
        let explanation = Explanation(name: "a", steps: [Explanation.Step("role", .unknown, "not asked")])
        let text = try JSONEncoder().encode(explanation)
        #expect(try JSONDecoder().decode(Summary.self, from: text).outcome == "unknown")
        #expect(try JSONDecoder().decode(Explanation.self, from: text) == explanation)
    }

    private struct Summary: Decodable { var outcome: String }

    @Test("P16: a local account of the name has a remedy for root, which names what takes it away")
    func localAccount() {
        #expect(
            Explanation.Step("account", Denial(.localAccount)).remedy.hasPrefix("userdel or groupdel the local one")
        )
    }

    @Test("A refused step carries the reason's code, its text, the particulars and the remedy")
    func refusedStep() {
        let step = Explanation.Step("stack", Denial(.stackNotVerified, detail: "UsePAM is no\n"))
        #expect(step.reason == "stack-not-verified")
        #expect(step.text.contains("(UsePAM is no?)"))
        #expect(step.remedy.contains("doctor"))
    }
}
