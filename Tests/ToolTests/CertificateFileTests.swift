// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import entraloginctl

struct CertificateFileTests {
    @Test("Type and base64 are taken, comment and line ends left")
    func taken() throws {
        let text = "ssh-rsa-cert-v01@openssh.com AAAA alice with a comment\r\n"
        #expect(try CertificateFile.certificate(in: text, path: "f") == "ssh-rsa-cert-v01@openssh.com AAAA")
    }

    @Test("A key, an empty file and a missing one are refused, and the file is named", arguments: ["ssh-rsa AAAA", ""])
    func refused(text: String) {
        #expect(throws: CertificateFileError.self) { try CertificateFile.certificate(in: text, path: "f") }
        let missing = #expect(throws: CertificateFileError.self) { try CertificateFile(path: "/nowhere/f").read() }
        #expect(missing?.text.hasPrefix("/nowhere/f: cannot be read") == true)
    }
}
