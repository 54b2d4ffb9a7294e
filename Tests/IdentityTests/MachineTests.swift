// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct MachineTests {
    @Test func `resource ids are equal in any letter case`() {
        let one = ResourceID("/subscriptions/A/resourceGroups/b/providers/Microsoft.Compute/virtualMachines/vm")
        let other = ResourceID("/SUBSCRIPTIONS/a/resourcegroups/B/providers/microsoft.compute/virtualmachines/VM")
        #expect(one != nil)
        #expect(one == other)
        #expect(Set([one, other]).count == 1)
    }

    @Test(
        "P13: what would change a URL is no resource id",
        arguments: [
            "", "/", "subscriptions/a", "/subscriptions/a/../b", "/subscriptions//b", "/subscriptions/a?x",
            "/subscriptions/a#",
            "/subscriptions/a%2e", "/subscriptions/a b", "/subscriptions/a\\b", "/subscriptions/a/", "/subscriptions/ä",
            "/subscriptions/" + String(repeating: "a", count: 2048),
        ]
    )
    func refused(text: String) {
        #expect(ResourceID(text) == nil)
    }
}
