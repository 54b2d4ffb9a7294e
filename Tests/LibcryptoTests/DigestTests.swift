// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Libcrypto
import OpenSSHCertificates
import Testing

struct DigestTests {
    // FIPS 180-4's examples, and the empty message.
    @Test(
        "SHA-256 of known messages",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func vectors(message: String, digest: String) {
        #expect(Hexadecimal.encode(SHA256.digest(of: Array(message.utf8))) == digest)
    }

    @Test("A fingerprint is written as ssh-keygen -l writes it")
    func fingerprint() throws {
        // ssh-keygen -q -t ed25519 -N '' -C '' -f key && cat key.pub && ssh-keygen -l -f key.pub
        let line =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIkZgYlhAiHkfrDg"
            + "xGHqEy1FAAbdEdfUy4gxB4uVSqKv"
        let key = try PublicKey(line: line)
        #expect(SHA256.fingerprint(of: key) == "SHA256:RGEz/J1O4saEB2hRWKPNT2++AxLO4ZGkmmD0gmABxTc")
    }
}
