// SPDX-License-Identifier: Apache-2.0

import Libcrypto
import Testing

struct CryptoLibraryTests {
    @Test("This machine's libcrypto has all that is needed")
    func opens() throws { try CryptoLibrary.open() }

    @Test("P8: a machine without libcrypto is named, with every file that was tried")
    func missing() {
        let problem = CryptoLibrary.problem(with: ["libcrypto.so.none", "libcrypto.so.neither"])
        #expect(problem?.contains("libcrypto.so.none") == true)
        #expect(problem?.contains("libcrypto.so.neither") == true)
    }

    @Test("P1: a library that lacks a function is an error, and the next one is not tried")
    func incomplete() {
        // libm has none of these functions.
        let problem = CryptoLibrary.problem(with: ["libm.so.6", "libcrypto.so.3", "libcrypto.so.1.1"])
        #expect(problem?.contains("d2i_PUBKEY") == true)
        #expect(CryptoLibrary.problem(with: ["libcrypto.so.none", "libcrypto.so.3", "libcrypto.so.1.1"]) == nil)
    }
}
