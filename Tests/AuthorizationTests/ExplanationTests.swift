// SPDX-License-Identifier: Apache-2.0

import Authorization
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

    @Test("A refused step carries the reason's code, its text, the particulars and the remedy")
    func refusedStep() {
        let step = Explanation.Step("stack", Denial(.stackNotVerified, detail: "UsePAM is no\n"))
        #expect(step.reason == "stack-not-verified")
        #expect(step.text.contains("(UsePAM is no?)"))
        #expect(step.remedy.contains("doctor"))
    }
}
