// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import Libcrypto
import OpenSSHCertificates
import Testing

/// CriticalOptionRule, ExtensionRule, and the form of the lists.
struct OptionRuleTests {
    @Test("Critical options that sshd enforces are let through, as ssh-keygen writes them")
    func known() throws {
        let blob = try Fixtures.small {
            $0.options += ["force-command=/bin/true", "source-address=192.0.2.0/24", "verify-required"]
        }
        #expect(try Fixtures.refusal(of: blob) == nil)
        #expect(
            try Certificate(parsing: blob).criticalOptions.all.map(\.name)
                == ["force-command", "source-address", "verify-required"]
        )
    }

    @Test("P4: an unknown critical option is refused, with and without content")
    func unknown() throws {
        let small = { (option: String) in try Fixtures.refusal(of: Fixtures.small { $0.options.append(option) }) }
        #expect(try small("critical:new@example.com=1") == .criticalOptionUnknown)
        #expect(try small("critical:new@example.com") == .criticalOptionUnknown)
        #expect(try small("critical:Force-Command=/bin/true") == .criticalOptionUnknown)
    }

    @Test("A known critical option whose content is not one string is refused")
    func criticalContent() throws {
        let string = HandmadeCertificate.string("192.0.2.1")
        let wrong: [(String, [UInt8])] = [
            ("source-address", []), ("source-address", Array("192.0.2.1".utf8)), ("source-address", string + [0]),
            ("source-address", string.dropLast()), ("source-address", HandmadeCertificate.string("")),
            ("force-command", [0, 0, 0, 1, 0]), ("force-command", [0, 0, 0, 1, 0xff]), ("verify-required", string),
        ]
        for (name, content) in wrong {
            let blob = try Fixtures.handmade { $0.criticalOptions = [(name, Array(content))] }
            #expect(try Fixtures.refusal(of: blob) == .optionMalformed, "\(name) \(content)")
        }
    }

    @Test("Unknown extensions are let through; OpenSSH's flags must be empty")
    func extensions() throws {
        let unknown = try Fixtures.handmade { $0.extensions.append(("zzz@example.com", [1, 2, 3])) }
        #expect(try Fixtures.refusal(of: unknown) == nil)
        let flag = try Fixtures.handmade { $0.extensions[2].content = [0, 0, 0, 0] }
        #expect(try Fixtures.refusal(of: flag) == .optionMalformed)
    }

    @Test("P4: a name that stands twice in a list is refused, next to itself or not")
    func twice() throws {
        let oid = HandmadeCertificate.string("99999999-1111-4222-8333-444444444444")
        let near = try Fixtures.handmade { $0.extensions.insert(("oid@sshservice.azure.net", oid), at: 1) }
        let far = try Fixtures.handmade { $0.extensions.append(("oid@sshservice.azure.net", oid)) }
        let critical = try Fixtures.handmade {
            let content = HandmadeCertificate.string("192.0.2.1")
            $0.criticalOptions = [("source-address", content), ("source-address", content)]
        }
        for blob in [near, far, critical] { #expect(try Fixtures.refusal(of: blob) == .optionTwice) }
    }

    @Test("Lists that are not in lexical order are accepted, as OpenSSH accepts them")
    func order() throws {
        let extensions = try Fixtures.handmade { $0.extensions.reverse() }
        let critical = try Fixtures.handmade {
            let content = HandmadeCertificate.string("192.0.2.1")
            $0.criticalOptions = [("source-address", content), ("force-command", content)]
        }
        for blob in [extensions, critical] { #expect(try Fixtures.refusal(of: blob) == nil) }
    }

    @Test("Names are printable and short, lists are bounded")
    func limits() throws {
        let refusal = { (name: String) in
            try Fixtures.refusal(of: Fixtures.handmade { $0.extensions.append((name, [])) })
        }
        for name in ["", "with blank", "line\nend", "nul\0", "caf\u{e9}"] { #expect(try refusal(name) == .malformed) }
        #expect(try refusal("z" + String(repeating: "x", count: 127)) == nil)
        #expect(try refusal("z" + String(repeating: "x", count: 128)) == .tooLarge)
        let many = try Fixtures.handmade { certificate in
            certificate.extensions += (0..<61).map { ("z\(1_000 + $0)", []) }
        }
        #expect(try Fixtures.refusal(of: many) == .tooLarge)
        let long = try Fixtures.handmade { $0.extensions.append(("z", [UInt8](repeating: 0, count: 4_097))) }
        #expect(try Fixtures.refusal(of: long) == .tooLarge)
    }
}
