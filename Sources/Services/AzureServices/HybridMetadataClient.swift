// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import AzureMessages
internal import HTTPTransport
package import Identity
internal import LinuxSystem

/// HIMDS, the metadata service of the Connected Machine agent on Arc servers (azure.md, "Azure Arc"). It gives a token
/// to a client that can read a file that only root and the group `himds` can read.
package struct HybridMetadataClient: MetadataService {
    private static let attemptTime = Duration.seconds(5)

    package let name = "himds"
    private let address: String
    private let keyFolder: String
    private let keyOwners: Set<UInt32>
    private let listeners: Listeners
    private let client: RetryingClient

    /// The uids whose sockets accept connections to that port of 127.0.0.1; nil if they cannot be determined.
    package typealias Listeners = @Sendable (UInt16) async -> Set<UInt32>?

    /// `keyOwners`: the uids that may own a key file and the service's socket, root and `himds`. `keyFolder` is the
    /// folder that challenges name; only tests use another one.
    package init(
        _ environment: AzureEnvironment,
        endpoints: AzureEndpoints,
        keyOwners: Set<UInt32>,
        keyFolder: String = HybridChallenge.folder,
        listeners: @escaping Listeners
    ) {
        address = endpoints.hybridMetadata
        self.keyFolder = keyFolder
        self.keyOwners = keyOwners
        self.listeners = listeners
        client = RetryingClient(environment: environment, policy: .metadata)
    }

    package func instance(by deadline: BootTime) async throws(AccessCheckFault) -> InstanceMetadata {
        let response = try await get("/metadata/instance?api-version=2020-06-01", by: deadline)
        guard response.status == 200 else { throw fault(response) }
        return try read(response.body) { body throws(MessageError) in
            let metadata = try InstanceMetadata(parsing: body)
            guard metadata.kind == .arcServer else {
                throw MessageError("the id of another resource than an Arc server")
            }
            return metadata
        }
    }

    /// It is not documented whether HIMDS names the tenant; the machine's own token does.
    package func tenant(by deadline: BootTime) async throws(AccessCheckFault) -> TenantID? { nil }

    package func token(
        for audience: String,
        by deadline: BootTime
    ) async throws(AccessCheckFault) -> ManagedIdentityToken {
        let path = "/metadata/identity/oauth2/token?api-version=2020-06-01&resource=\(percentEncoded(audience))"
        let challenge = try await get(path, by: deadline)
        guard challenge.status == 401 else {
            // A service that gives tokens without asking for the key is not the agent.
            guard challenge.status != 200 else { throw malformed("it gave a token without a challenge") }
            throw tokenFault(challenge, audience)
        }
        guard let header = challenge.header("Www-Authenticate") else { throw malformed("no challenge, or several") }
        let key = try readKey(header)
        // Each key is valid once, so this response is final.
        let response = try await get(path, by: deadline, authorization: Secret("Basic \(key)"))
        guard response.status == 200 else { throw tokenFault(response, audience) }
        return try read(response.body) { body throws(MessageError) in try ManagedIdentityToken(parsing: body) }
    }

    package func authorityKeys(by deadline: BootTime) async throws(AccessCheckFault) -> MetadataKeys {
        throw AccessCheckFault(.noAuthorityKeys, of: name, detail: "the metadata service of Arc hands out no CA keys")
    }

    /// The content of the file that the challenge names. The file's owner and mode are checked before it is read.
    private func readKey(_ header: String) throws(AccessCheckFault) -> String {
        let fileName = try read(header) { header throws(MessageError) in
            try HybridChallenge(parsing: header).fileName
        }
        let bytes: [UInt8]
        do throws(FileError) {
            let requirement = FileRequirement(owners: keyOwners, forbiddenMode: 0o022)
            let file = AtomicFile("\(keyFolder)/\(fileName)")
            bytes = try file.read(limit: HybridChallenge.maximumFileSize, requiring: requirement)
        } catch {
            throw AccessCheckFault(.metadataClosed, of: name, detail: "\(error)", remedy: .joinAgentsGroup)
        }
        var key = bytes[...]
        while let last = key.last, last == 0x0a || last == 0x0d { key.removeLast() }
        guard !key.isEmpty, key.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw malformed("the key file holds other characters than printable ASCII")
        }
        return String(decoding: key, as: UTF8.self)
    }

    private func get(
        _ path: String,
        by deadline: BootTime,
        authorization: Secret? = nil
    ) async throws(AccessCheckFault) -> HTTPResponse {
        let request = HTTPRequest(
            .get,
            address + path,
            headers: [HTTPHeader("Metadata", "true")],
            authorization: authorization,
            timeout: Self.attemptTime,
            connectTimeout: .seconds(2),
            proxy: .none
        )
        let mayRepeat = authorization == nil
        // Checked before a key is sent. Without a key, a service that does not listen yet is waited for.
        try await checkListener(mayBeAbsent: mayRepeat)
        let attempt = await client.send(request, attemptTime: Self.attemptTime, by: deadline) { attempt, _ in
            guard mayRepeat else { return false }
            switch attempt {
            case .success(let response): return response.status == 429 || response.status >= 500
            case .failure(let error): return [.timeout, .unreachable, .dropped, .cut].contains(error.kind)
            }
        }
        switch attempt {
        case .success(let response):
            try await checkListener(mayBeAbsent: false)
            return response
        case .failure(let error): throw AccessCheckFault(error, from: name)
        }
    }

    private func checkListener(mayBeAbsent: Bool) async throws(AccessCheckFault) {
        let port = address.split(separator: ":").last.flatMap { UInt16($0) } ?? 80
        guard let owners = await listeners(port) else {
            let detail = "the list of listening sockets cannot be read to its end: a process has too many of them"
            throw AccessCheckFault(.metadataClosed, of: name, detail: detail)
        }
        if let owner = owners.subtracting(keyOwners).min() {
            let detail = "uid \(owner), neither root nor himds, listens at \(address): end that process"
            throw AccessCheckFault(.metadataClosed, of: name, detail: detail)
        }
        guard !owners.isEmpty || mayBeAbsent else {
            throw AccessCheckFault(.metadataClosed, of: name, detail: "nobody listens at \(address) any more")
        }
    }

    private func tokenFault(_ response: HTTPResponse, _ audience: String) -> AccessCheckFault {
        guard response.status == 400 else { return fault(response) }
        let refusal = MetadataRefusal(parsing: response.body)
        return AccessCheckFault(refusal, status: response.status, audience: audience, from: name)
    }

    private func fault(_ response: HTTPResponse) -> AccessCheckFault {
        AccessCheckFault(response, from: .hybridMetadata, at: name)
    }

    private func malformed(_ text: String) -> AccessCheckFault {
        AccessCheckFault(.malformedAnswer, of: name, detail: text)
    }

    private func read<Input, Value>(
        _ input: Input,
        _ parse: (Input) throws(MessageError) -> Value
    ) throws(AccessCheckFault) -> Value {
        do throws(MessageError) { return try parse(input) } catch { throw AccessCheckFault(error, from: name) }
    }
}

extension HybridMetadataClient {
    /// Paths that show that the Connected Machine agent is installed (azure.md, "Azure Arc").
    package static let agentPaths = ["/opt/azcmagent/bin/himds", "/var/opt/azcmagent"]

    /// The service's address as the agent puts it into `IMDS_ENDPOINT`, `http://localhost:40342`; nil for anything but
    /// plain HTTP to a port of this machine. The literal address: no name server may decide which machine this is.
    package static func address(named variable: String?) -> String? {
        for host in ["http://localhost:", "http://127.0.0.1:"] {
            guard let variable, variable.hasPrefix(host) else { continue }
            var port = variable.dropFirst(host.count)
            if port.hasSuffix("/") { port.removeLast() }
            if let number = UInt16(port), number > 0 { return "http://127.0.0.1:\(number)" }
        }
        return nil
    }
}
