// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AccountAudit
@testable import Integration

struct KeyFileTests {
    @Test(
        "What sshd would take for a key counts",
        arguments: [
            "ssh-ed25519 AAAAC3Nz lisa@home", "ssh-rsa AAAAB3Nz", "  \tssh-rsa AAAAB3Nz\r",
            "ecdsa-sha2-nistp256 AAAAE2Vj x", "sk-ssh-ed25519@openssh.com AAAAGnNr", "cert-authority ssh-rsa AAAAB3Nz",
            #"command="echo \"ssh-rsa # no\"",no-pty ssh-ed25519 AAAAC3Nz x"#, #"from="10.0.0.1, *.x" ssh-rsa AAAA= "#,
        ]
    )
    func keys(line: String) {
        let file = KeyFile("# comment\n\n\r\n\(line)\n")
        #expect(file.keys == 1)
        #expect(file.strange.isEmpty)
    }

    @Test(
        "Any other line is named by its number: sshd may read it in another way",
        arguments: [
            "ssh-rsa", "AAAAB3Nz", "ssh-rsa AAAA!", "no-pty", #"command="open ssh-rsa AAAA"#, "ssh-foo",
            "options ssh-rsa", "root:x:0:0:root:/root:/bin/bash",
        ]
    )
    func others(line: String) {
        let file = KeyFile("ssh-rsa AAAA\n\(line)\n")
        #expect(file.keys == 1)
        #expect(file.strange == [2])
    }
}
