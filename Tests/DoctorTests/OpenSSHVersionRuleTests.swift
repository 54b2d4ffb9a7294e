// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Doctor
@testable import Integration

struct OpenSSHVersionRuleTests {
    @Test(
        "An OpenSSH before 7.8 takes RSA certificates with SHA-1 only, and is named",
        arguments: [
            ("OpenSSH_7.4p1, OpenSSL 1.0.2k-fips  26 Jan 2017", Severity.warning),
            ("OpenSSH_7.8p1, OpenSSL 1.1.1", .good), ("OpenSSH_10.0p2 Debian-5, OpenSSL 3.5.0", .good),
            ("OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.11", .good),
            ("unknown option -- V\nOpenSSH_7.6p1 Ubuntu-4ubuntu0.7, OpenSSL 1.0.2n\nusage: sshd", .warning),
            ("OpenSSH_", .note), ("Dropbear v2022.83", .note),
        ]
    )
    func versions(words: String, severity: Severity) {
        #expect(OpenSSHVersionRule().evaluate(ProgramResult(status: 1, complaint: words)).severity == severity)
        #expect(OpenSSHVersionRule().evaluate(ProgramResult(status: 0, output: words)).severity == severity)
    }
}
