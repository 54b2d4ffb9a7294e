// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import AzureMessages
internal import Glibc
internal import HTTPTransport
package import Identity

/// IMDS (azure.md, "Instance metadata"): a literal address, never through a proxy, never a redirect.
package struct InstanceMetadataClient: MetadataService {
    /// The longest one attempt may take. A token that Entra has to issue takes a second or two.
    private static let attemptTime = Duration.seconds(5)

    package let name = "imds"
    private let address: String
    /// A user-assigned identity that the administrator named; nil: the system-assigned one.
    private let clientID: GUID?
    private let client: RetryingClient

    package init(_ environment: AzureEnvironment, endpoints: AzureEndpoints, clientID: GUID? = nil) {
        address = endpoints.instanceMetadata
        self.clientID = clientID
        client = RetryingClient(environment: environment, policy: .metadata)
    }

    package func instance(by deadline: BootTime) async throws(AccessCheckFault) -> InstanceMetadata {
        let body = try await get("/metadata/instance/compute?api-version=2019-06-01", by: deadline)
        return try read(body) { body throws(MessageError) in
            let metadata = try InstanceMetadata(parsing: body)
            guard metadata.kind != .arcServer else { throw MessageError("an Arc server's id from a virtual machine") }
            return metadata
        }
    }

    package func tenant(by deadline: BootTime) async throws(AccessCheckFault) -> TenantID? {
        let body = try await get("/metadata/identity/info?api-version=2018-02-01", by: deadline)
        return try read(body) { body throws(MessageError) in try MachineTenant(parsing: body).tenant }
    }

    package func token(
        for audience: String,
        by deadline: BootTime
    ) async throws(AccessCheckFault) -> ManagedIdentityToken {
        var path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=\(percentEncoded(audience))"
        if let clientID { path += "&client_id=\(clientID)" }
        let response = try await exchange(path, by: deadline)
        guard response.status == 200 else {
            if let fault = closed(response) { throw fault }
            let refusal = MetadataRefusal(parsing: response.body)
            throw AccessCheckFault(refusal, status: response.status, audience: audience, from: name)
        }
        return try read(response.body) { body throws(MessageError) in try ManagedIdentityToken(parsing: body) }
    }

    package func authorityKeys(by deadline: BootTime) async throws(AccessCheckFault) -> MetadataKeys {
        let body = try await get("/metadata/login/ca_keys?api-version=2019-03-11", by: deadline)
        return try read(body) { body throws(MessageError) in try MetadataKeys(parsing: body) }
    }

    private func get(_ path: String, by deadline: BootTime) async throws(AccessCheckFault) -> [UInt8] {
        let response = try await exchange(path, by: deadline)
        guard response.status == 200 else {
            if let fault = closed(response) { throw fault }
            throw AccessCheckFault(.malformedAnswer, of: name, detail: "status \(response.status) for \(path)")
        }
        return response.body
    }

    private func exchange(_ path: String, by deadline: BootTime) async throws(AccessCheckFault) -> HTTPResponse {
        let request = HTTPRequest(
            .get,
            address + path,
            headers: [HTTPHeader("Metadata", "true")],
            timeout: Self.attemptTime,
            connectTimeout: .seconds(2),
            proxy: .none
        )
        let attempt = await client.send(request, attemptTime: Self.attemptTime, by: deadline) { attempt, number in
            switch attempt {
            case .success(let response) where response.status == 421: number == 1
            case .success(let response): [404, 410, 429].contains(response.status) || response.status >= 500
            case .failure(let error): [.timeout, .unreachable, .dropped, .cut].contains(error.kind)
            }
        }
        switch attempt {
        case .success(let response): return response
        case .failure(let error): throw fault(error)
        }
    }

    /// Detects that this machine itself blocks the daemon's user: a timeout (a firewall that drops), ECONNREFUSED (one
    /// that rejects), EACCES or EPERM (a prohibit route, an output rule). The address is link-local, so no outage looks
    /// like these.
    private func fault(_ error: HTTPError) -> AccessCheckFault {
        let isClosed =
            error.kind == .timeout
            || error.kind == .unreachable && [ECONNREFUSED, EACCES, EPERM].contains(error.systemError)
        guard isClosed else { return AccessCheckFault(error, from: name) }
        return AccessCheckFault(
            .metadataClosed,
            of: place,
            detail: "\(error)",
            cause: NetworkCause(error.kind),
            remedy: .openMetadata
        )
    }

    /// The fault for a status that is not about the question itself; nil for any other.
    private func closed(_ response: HTTPResponse) -> AccessCheckFault? {
        let reason = StatusTable.reason(of: response.status, from: .instanceMetadata)
        guard reason != .malformedAnswer else { return nil }
        let remedy: FaultRemedy? = reason == .metadataClosed ? .openMetadata : nil
        return AccessCheckFault(response, from: .instanceMetadata, at: place, remedy: remedy)
    }

    private var place: String { "\(name) at \(address)" }

    private func read<Value>(
        _ body: [UInt8],
        _ parse: ([UInt8]) throws(MessageError) -> Value
    ) throws(AccessCheckFault) -> Value {
        do throws(MessageError) { return try parse(body) } catch { throw AccessCheckFault(error, from: name) }
    }
}
