// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import ByteCoding
import HTTPTransport
import Identity
import LinuxSystem
import OpenSSHCertificates
import TestSupport
import Testing

struct KeySourcesTests {
    private struct KnownMachine: MachineSource {
        let current: Machine?
        func machine(by deadline: BootTime) async throws(AccessCheckFault) -> Machine {
            guard let current else { throw AccessCheckFault(.machineUnknown, detail: "") }
            return current
        }
    }

    private static func webKey(bits: Int = 2048) -> String {
        var modulus = [UInt8](repeating: 0xff, count: bits / 8)
        modulus[1] = 0
        return "{\"kty\":\"RSA\",\"use\":\"sig\",\"n\":\"\(Base64.encode(modulus, .url))\",\"e\":\"AQAB\"}"
    }

    /// The same key in OpenSSH's form.
    private static func line() throws -> String {
        var modulus = [UInt8](repeating: 0xff, count: 256)
        modulus[1] = 0
        var writer = ByteWriter()
        try writer.writeText("ssh-rsa")
        try writer.writeString([1, 0, 1])
        try writer.writeString([0] + modulus)
        return "ssh-rsa \(Base64.encode(writer.bytes)) comment"
    }

    private func signingKeys(_ answer: ScriptedTransport.Answer...) async throws -> AuthorityKeys {
        let fixture = Fixture()
        fixture.transport.script(Fixture.keys, answer[0])
        let source = SigningKeySource(
            .common,
            fixture.environment,
            machines: KnownMachine(current: try fixture.machine()),
            clouds: fixture.clouds
        )
        return try await source.fetch(by: fixture.clock.bootTime().advanced(by: .seconds(20)))
    }

    @Test("Entra's signing keys become OpenSSH keys, and are kept as long as the answer says")
    func signingKeys() async throws {
        let body = "{\"keys\":[\(Self.webKey()),\(Self.webKey(bits: 1024))]}"
        let keys = try await signingKeys(.answer(200, body, HTTPHeader("Cache-Control", "max-age=86400, private")))
        #expect(keys.keys.count == 1)
        #expect(Base64.encode(try #require(keys.keys.first).blob) == (try Self.line()).split(separator: " ")[1])
        #expect(keys.lifetime == .seconds(86_400))
    }

    @Test("A host without an answer is asked again for those who wait, and once in the background")
    func attempts() async throws {
        for (retrying, requests) in [(true, 2...6), (false, 1...1)] {
            let fixture = Fixture()
            fixture.transport.script(Fixture.keys, .answer(503))
            let machines = KnownMachine(current: try fixture.machine())
            let source = SigningKeySource(.common, fixture.environment, machines: machines, clouds: fixture.clouds)
            let deadline = fixture.clock.bootTime().advanced(by: .seconds(20))
            await #expect(throws: AccessCheckFault.self) {
                _ = try await source.fetch(by: deadline, retrying: retrying)
            }
            #expect(requests.contains(fixture.transport.requests(to: Fixture.keys).count))
        }
    }

    @Test("Each document is asked at its own address: the tenant's, as Microsoft advises, and that of every tenant")
    func addresses() async throws {
        for document in SigningKeySource.Document.allCases {
            let fixture = Fixture()
            let url = document == .tenant ? Fixture.tenantKeys : Fixture.keys
            fixture.transport.script(url, .answer(200, "{\"keys\":[\(Self.webKey())]}"))
            let machines = KnownMachine(current: try fixture.machine())
            let source = SigningKeySource(document, fixture.environment, machines: machines, clouds: fixture.clouds)
            #expect(try await source.fetch(by: fixture.clock.bootTime().advanced(by: .seconds(20))).keys.count == 1)
        }
    }

    @Test(
        "an answer without a usable key is a fault, never an empty set",
        arguments: ["{\"keys\":[]}", "{\"keys\":[{}]}", "{}", "", "{\"keys\":[\(webKey(bits: 1024))]}"]
    )
    func noKeys(body: String) async {
        await #expect(throws: AccessCheckFault.self) { try await signingKeys(.answer(200, body)) }
    }

    @Test("the reasons of an outage are told apart")
    func outages() async {
        for (answer, reason) in [
            (ScriptedTransport.Answer.answer(429), DenialReason.throttled), (.answer(500), .unreachable),
            (.answer(404), .malformedAnswer), (.error(.tls), .unreachable),
        ] {
            do throws(any Error) {
                _ = try await signingKeys(answer)
                Issue.record("there were keys")
            } catch {
                #expect((error as? AccessCheckFault)?.reason == reason)
            }
        }
    }

    @Test("the metadata service's keys are taken in each of the forms, and refused in any other")
    func metadataKeys() async throws {
        func fetch(_ body: String) async throws -> AuthorityKeys {
            let fixture = Fixture()
            fixture.transport.script("\(Fixture.imds)/login/ca_keys?api-version=2019-03-11", .answer(200, body))
            let source = MetadataKeySource(service: fixture.service)
            return try await source.fetch(by: fixture.clock.bootTime().advanced(by: .seconds(20)))
        }
        let line = try Self.line()
        let expected = try await fetch("{\"keys\":[\(Self.webKey())]}").keys
        #expect(expected.count == 1)
        for body in ["\(line)\n\(line)\n", "[\"\(line)\"]", "[\(Self.webKey())]"] {
            #expect(try await fetch(body).keys == expected)
        }
        for body in ["ssh-rsa AAAA", "\(line)\nsomething else", "cert-authority \(line)", "", "{}"] {
            await #expect(throws: AccessCheckFault.self) { try await fetch(body) }
        }
    }

    @Test("the administrator's file is taken where only its owner writes it")
    func file() async throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/keys"
        let deadline = VirtualClock().bootTime()
        let source = FileKeySource(path: path)
        await #expect(throws: AccessCheckFault.self) { try await source.fetch(by: deadline) }
        let file = AtomicFile(path)
        try file.replace(with: Array("# ours\n\(try Self.line())\n".utf8), mode: 0o644)
        #expect(try await source.fetch(by: deadline).keys.count == 1)
        // Keys of `ssh-keygen -t ed25519` and `-t ecdsa`: an administrator's own CA need not be RSA.
        let others = [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIkZgYlhAiHkfrDgxGHqEy1FAAbdEdfUy4gxB4uVSqKv own",
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHhbM+BX8e3YiN0viZ1toepvp4dIlCe0"
                + "dayVIuBNXShws8oSRZG9MTk77mdGH8lJAzOdRQN6sABVGKVmie3t98I=",
        ]
        try file.replace(with: Array(others.joined(separator: "\n").utf8), mode: 0o644)
        #expect(try await source.fetch(by: deadline).keys.map(\.type) == [.ed25519, .ecdsaP256])
        try file.replace(with: Array("\(try Self.line())\n".utf8), mode: 0o666)
        await #expect(throws: AccessCheckFault.self) { try await source.fetch(by: deadline) }
        try file.replace(with: Array("\(try Self.line())\nnonsense\n".utf8), mode: 0o644)
        await #expect(throws: AccessCheckFault.self) { try await source.fetch(by: deadline) }
    }
}
