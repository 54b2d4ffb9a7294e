// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
internal import HTTPTransport
package import Identity
internal import LinuxSystem
internal import OpenSSHCertificates

/// Entra's token-signing keys (azure.md, "CA keys"): the main source. Two documents list them, and replicas of either
/// differ for up to a day, so each is a source of its own.
package struct SigningKeySource: AuthorityKeySource {
    package enum Document: String, Sendable, CaseIterable {
        /// The tenant's, as Microsoft advises: keys that are the same for every tenant today may differ one day.
        case tenant = "jwks"
        /// The document that all tenants share.
        case common = "jwks-common"
    }

    package var name: String { document.rawValue }
    private let document: Document
    private let environment: AzureEnvironment
    private let machines: any MachineSource
    private let clouds: CloudDirectory

    package init(
        _ document: Document,
        _ environment: AzureEnvironment,
        machines: any MachineSource,
        clouds: CloudDirectory
    ) {
        self.document = document
        self.environment = environment
        self.machines = machines
        self.clouds = clouds
    }

    package func fetch(by deadline: BootTime, retrying: Bool) async throws(AccessCheckFault) -> AuthorityKeys {
        let machine = try await machines.machine(by: deadline)
        // Never from another cloud's login host: its keys sign for users of other tenants.
        let login = try await clouds.login(of: machine, by: deadline)
        let url =
            switch document {
            case .tenant: "\(login)/\(machine.tenant)/discovery/v2.0/keys"
            case .common: "\(login)/common/discovery/keys"
            }
        let request = HTTPRequest(.get, url, timeout: .seconds(15), proxy: environment.proxy)
        var policy = RetryPolicy.interactive
        if !retrying { policy.attempts = 1 }
        let client = RetryingClient(environment: environment, policy: policy)
        let attempt = await client.send(request, attemptTime: .seconds(15), by: deadline) { attempt, _ in
            switch attempt {
            case .success(let response): response.status == 429 || response.status >= 500
            case .failure(let error): ![.cancelled, .curlMissing, .invalidRequest].contains(error.kind)
            }
        }
        switch attempt {
        case .failure(let error): throw AccessCheckFault(error, from: name)
        case .success(let response):
            let instance = clouds.known(of: machine)?.instance
            let keys = try keys(in: response, SigningKeyScope(cloudInstance: instance, tenant: machine.tenant))
            await clouds.compareOnce(machine, by: deadline)
            return keys
        }
    }

    private func keys(
        in response: HTTPResponse,
        _ scope: SigningKeyScope
    ) throws(AccessCheckFault) -> AuthorityKeys {
        guard response.status == 200 else {
            throw AccessCheckFault(response, from: .login, at: name)
        }
        do throws(MessageError) {
            let lifetime = cacheLifetime(response.header("Cache-Control")).map { Duration.seconds($0) }
            return try AuthorityKeys(SigningKeys(parsing: response.body, in: scope), lifetime: lifetime, from: name)
        } catch {
            throw AccessCheckFault(error, from: name)
        }
    }
}

/// The CA keys that the metadata service hands out (azure.md, "Instance metadata"). Their format is not public.
package struct MetadataKeySource: AuthorityKeySource {
    package let name = "imds"
    private let service: any MetadataService

    package init(service: any MetadataService) { self.service = service }

    package func fetch(by deadline: BootTime, retrying: Bool) async throws(AccessCheckFault) -> AuthorityKeys {
        let answer = try await service.authorityKeys(by: deadline)
        do throws(MessageError) {
            switch answer {
            case .webKeys(let set): return try AuthorityKeys(set, lifetime: nil, from: name)
            case .lines(let lines): return AuthorityKeys(keys: try publicKeys(lines), lifetime: nil)
            }
        } catch {
            throw AccessCheckFault(error, from: name)
        }
    }
}

/// Keys that the administrator supplies, in the format of `TrustedUserCAKeys`: one key a line.
package struct FileKeySource: AuthorityKeySource {
    /// Bytes of the file: 64 keys of the largest size.
    private static let maximumSize = 262_144

    package let name = "file"
    private let file: AtomicFile

    /// `path` is absolute. The file must belong to root or to the daemon, and be writable by no other user.
    package init(path: String) { file = AtomicFile(path) }

    package func fetch(by deadline: BootTime, retrying: Bool) async throws(AccessCheckFault) -> AuthorityKeys {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try file.read(limit: Self.maximumSize, requiring: .ownOrRoots)
        } catch {
            throw AccessCheckFault(.noAuthorityKeys, of: name, detail: "\(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw AccessCheckFault(.noAuthorityKeys, of: name, detail: "\(file.path): not UTF-8")
        }
        do throws(MessageError) {
            return AuthorityKeys(keys: try publicKeys(MetadataKeys.keyLines(text)), lifetime: nil)
        } catch {
            throw AccessCheckFault(.noAuthorityKeys, of: name, detail: "\(file.path): \(error)")
        }
    }
}

extension AuthorityKeys {
    /// A set without a usable key is an error, never an empty set.
    fileprivate init(_ set: SigningKeys, lifetime: Duration?, from name: String) throws(MessageError) {
        var keys: [PublicKey] = []
        for key in set.keys {
            do throws(PublicKeyError) {
                keys.append(try PublicKey(type: .rsa, fields: .rsa(exponent: key.exponent, modulus: key.modulus)))
            } catch {
                throw MessageError("a key of the set is not a public key: \(error)")
            }
        }
        guard !keys.isEmpty else {
            throw MessageError("no usable key of this cloud and tenant (\(set.refusedCount) passed over)")
        }
        self.init(keys: keys, lifetime: lifetime)
    }
}

/// Every line must be a key: any other line shows that this is not a file of keys.
private func publicKeys(_ lines: [String]) throws(MessageError) -> [PublicKey] {
    var keys: [PublicKey] = []
    for line in lines {
        let key: PublicKey
        do throws(PublicKeyError) { key = try PublicKey(line: line) } catch {
            throw MessageError("not a public key (\(error)): \(quoted(line, limit: 40))")
        }
        if case .rsa(_, let modulus) = key.fields {
            let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 8)
            guard SigningKeys.Limit.modulusBits.contains(bits) else { throw MessageError("an RSA key of \(bits) bits") }
        }
        if !keys.contains(key) { keys.append(key) }
    }
    return keys
}
