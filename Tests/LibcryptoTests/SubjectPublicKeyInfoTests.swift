// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import OpenSSHCertificates
import Testing

@testable import Libcrypto

struct SubjectPublicKeyInfoTests {
    // openssl genpkey … | openssl pkey -pubout -outform DER | xxd -p, and the same key by ssh-keygen -i -m PKCS8.
    @Test("Keys are encoded as openssl encodes them", arguments: encodedKeys)
    func vectors(name: String, line: String, der: String) throws {
        let key = try PublicKey(line: line)
        #expect(Hexadecimal.encode(SubjectPublicKeyInfo.encode(key.fields)) == der, "\(name)")
    }

    @Test("Lengths have their shortest form, numbers a sign only where they need one")
    func forms() {
        #expect(DER.element(0x30, []) == [0x30, 0])
        #expect(DER.element(0x04, [UInt8](repeating: 7, count: 127)).prefix(3) == [0x04, 127, 7])
        #expect(DER.element(0x04, [UInt8](repeating: 7, count: 128)).prefix(4) == [0x04, 0x81, 128, 7])
        #expect(DER.element(0x04, [UInt8](repeating: 7, count: 256)).prefix(5) == [0x04, 0x82, 1, 0, 7])
        #expect(DER.integer([]) == [0x02, 1, 0])
        #expect(DER.integer([0x7f]) == [0x02, 1, 0x7f])
        #expect(DER.integer([0x80]) == [0x02, 2, 0, 0x80])
    }
}

private let encodedKeys: [(name: String, line: String, der: String)] = [
    (
        "RSA",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQChgTseZov96gjG4xCt5Xom4SPOAopE0QUhuzXl+EfH7bM6e6IhzHGFbXoN"
            + "HXnTFLZu01wtycgxeKEjWvZQZuk/IrjtJXvmEUpl4927qP3dNXr0ThvruYnS31FXqVl8e/5n+yjkdwNrL7jd2r6uILNEB2eW"
            + "GSYM6yUe3jQiTTj3py7VSqK1wt69lV9+mIXNkPhrTePHB/X+HLS8qthm4qyGDd482HmhhL17vI6+ViAKf+hBA+Cql+Ld/7lh"
            + "nxyzHdqS0fo01ndLxzdrsQ5nRH7p5N9nblRu9zoKcym5dh1sF6+iiuX5PY3Ccq5YU622uS7zd+igBONrU2gIUIdwmsPD",
        "30820122300d06092a864886f70d01010105000382010f003082010a0282010100a1813b1e668bfdea08c6e310ade57a"
            + "26e123ce028a44d10521bb35e5f847c7edb33a7ba221cc71856d7a0d1d79d314b66ed35c2dc9c83178a1235af65066e9"
            + "3f22b8ed257be6114a65e3ddbba8fddd357af44e1bebb989d2df5157a9597c7bfe67fb28e477036b2fb8dddabeae20b3"
            + "4407679619260ceb251ede34224d38f7a72ed54aa2b5c2debd955f7e9885cd90f86b4de3c707f5fe1cb4bcaad866e2ac"
            + "860dde3cd879a184bd7bbc8ebe56200a7fe84103e0aa97e2ddffb9619f1cb31dda92d1fa34d6774bc7376bb10e67447e"
            + "e9e4df676e546ef73a0a7329b9761d6c17afa28ae5f93d8dc272ae5853adb6b92ef377e8a004e36b5368085087709ac3"
            + "c30203010001"
    ),
    (
        "P-256",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIijvgvVs7U2HgFlCIZBCniK"
            + "6yZ3LpluYDCT0Jklcnl2U1nQ7vUpPb35JTryBWF/ylzYEQxMLy6QKVq4BuFPH8o=",
        "3059301306072a8648ce3d020106082a8648ce3d0301070342000488a3be0bd5b3b5361e01650886410a788aeb26772e"
            + "996e603093d099257279765359d0eef5293dbdf9253af205617fca5cd8110c4c2f2e90295ab806e14f1fca"
    ),
    (
        "P-384",
        "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBOz2txX6aQfDj7IJyJ0Uqvoo"
            + "o4IJEGrhkQTxsI+wQ0IuUbVtZr4Vy3LRsLR01qgRWVmUg7py0lKFY5//AVb3idfN0fhbx2mOizh2ejPZfHghmCNZGPVFfJWn"
            + "RAl12lon4Q==",
        "3076301006072a8648ce3d020106052b8104002203620004ecf6b715fa6907c38fb209c89d14aafa28a38209106ae191"
            + "04f1b08fb043422e51b56d66be15cb72d1b0b474d6a81159599483ba72d25285639fff0156f789d7cdd1f85bc7698e8b"
            + "38767a33d97c782198235918f5457c95a7440975da5a27e1"
    ),
    (
        "P-521",
        "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBABxnyfLi9DXHWFhJqne5KQ9"
            + "LN5RtHnBpORjODxaPUjRNnj5RDfQNvW5NR0DZZsxNosmTE3A2wnI8F7CdQB9Zr3CkAAmNFzs0//+Cf+Bh+tjNuvMZy7o3mTV"
            + "qChhs7KaCW1/kY0mKHRvLW3kUx6NWkWAMRvLQNq5Ma9uUmlWup18dS+4CQ==",
        "30819b301006072a8648ce3d020106052b81040023038186000400719f27cb8bd0d71d616126a9dee4a43d2cde51b479"
            + "c1a4e463383c5a3d48d13678f94437d036f5b9351d03659b31368b264c4dc0db09c8f05ec275007d66bdc2900026345c"
            + "ecd3fffe09ff8187eb6336ebcc672ee8de64d5a82861b3b29a096d7f918d2628746f2d6de4531e8d5a4580311bcb40da"
            + "b931af6e526956ba9d7c752fb809"
    ),
    (
        "Ed25519",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPm2LgKgLKH9TVJ4S7JegAiRC+1EH8MEBneATJv+gPwV",
        "302a300506032b6570032100f9b62e02a02ca1fd4d52784bb25e8008910bed441fc3040677804c9bfe80fc15"
    ),
]
