// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct DirectoryIdentityTests {
    @Test func `two spellings of a GUID are one identity`() {
        #expect(ObjectID("3F2504E0-4F89-41D3-9A0C-0305E82C3301") == ObjectID("3f2504e0-4f89-41d3-9a0c-0305e82c3301"))
    }

    @Test(arguments: [
        "", "3f2504e04f8941d39a0c0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c330g",
        "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}", "3f2504e0-4f89-41d3-9a0c_0305e82c3301",
    ])
    func `anything but 8-4-4-4-12 hexadecimal digits is no GUID`(text: String) {
        #expect(GUID(text) == nil)
    }

    @Test func `a random GUID says that it is one`() {
        #expect(GUID(random: Array(0..<16))?.text == "00010203-0405-4607-8809-0a0b0c0d0e0f")
        #expect(GUID(random: [1, 2, 3]) == nil)
    }
}
