// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing

@Suite struct AccessDecisionTests {
    @Test("A refusal without words of its own has the reason's")
    func text() {
        #expect(Denial(.throttled).text == DenialReason.throttled.text)
        #expect(Denial(.throttled, text: "Wait").text == "Wait")
        #expect(Denial(.throttled).isUndecided && !Denial(.roleNotAssigned).isUndecided)
    }

    @Test("Each role asks for the built-in role of its name, as the portal spells it")
    func roles() {
        #expect(Role.user.builtInName == "Virtual Machine User Login")
        #expect(Role.administrator.builtInName == "Virtual Machine Administrator Login")
        #expect(Role.user < .administrator && !(Role.administrator < .user) && !(Role.user < .user))
    }
}
