// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AccessControl

@Suite struct UsedCredentialTests {
    @Test("P4: one line of one public key is read", arguments: ["publickey ssh-x AQID", "publickey ssh-x AQID\n"])
    func good(text: String) {
        let used = UsedCredential(authenticationInfo: text)
        #expect(used?.keyType == "ssh-x")
        #expect(used?.blob == [1, 2, 3])
    }

    @Test(
        "P4: anything else is no credential",
        arguments: [
            "", "\n", "publickey", "publickey ssh-x", "publickey ssh-x AQID AQID", "publickey  ssh-x AQID",
            " publickey ssh-x AQID", "publickey ssh-x AQID ", "publickey ssh-x AQID\n\n", "publickey ssh-x AQID\r\n",
            "publickey ssh-x AQID\npublickey ssh-x AQID\n", "publickey ssh-x AQID\npassword\n",
            "password\npublickey ssh-x AQID", "PUBLICKEY ssh-x AQID", "publickey ssh-x AQI", "publickey ssh-x AQI=D",
            "publickey ssh-x AQID=", "publickey ssh-x AQJ=x", "publickey ssh-x AR==", "keyboard-interactive/pam",
            "publickey\tssh-x\tAQID", "publickey ssh-x AQID\0", "publickey  AQID", "publickey ssh-x ",
            "publickey ssh-x AQID#", "gssapi-with-mic: user", "hostbased ssh-x AQID",
        ]
    )
    func malformed(text: String) {
        #expect(UsedCredential(authenticationInfo: text) == nil)
    }
}
