// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
internal import HTTPTransport
package import Identity
package import OpenSSHCertificates

/// Entra's device authorization grant (RFC 8628; Documentation/azure.md), for one application of this machine's tenant.
///
/// No nonce is sent: Entra documents none for this grant. The token comes over TLS from the login host, as the answer
/// to the daemon's own code, which is redeemed once.
package struct DeviceFlow: DeviceAuthority {
    /// `openid` for the ID token, `profile` for `oid` and `preferred_username` in it. No access to any resource is
    /// requested.
    private static let scope = "openid profile"
    static let maximumBody = 65_536

    let environment: AzureEnvironment
    let clouds: CloudDirectory
    let clientID: GUID
    /// Seconds.
    let skew: Int64
    let signatures: any SignatureVerifier
    private let machines: any MachineSource

    package init(
        _ environment: AzureEnvironment,
        machines: any MachineSource,
        clouds: CloudDirectory,
        clientID: GUID,
        clockSkew: Duration,
        signatures: any SignatureVerifier
    ) {
        self.environment = environment
        self.machines = machines
        self.clouds = clouds
        self.clientID = clientID
        skew = clockSkew.components.seconds
        self.signatures = signatures
    }

    package func begin(by deadline: BootTime) async throws(AccessCheckFault) -> any DeviceGrant {
        let machine = try await machines.machine(by: deadline)
        let login = try await clouds.login(of: machine, by: deadline)
        let form = [("client_id", clientID.text), ("scope", DeviceFlow.scope)]
        let response = try await post(
            "\(login)/\(machine.tenant)/oauth2/v2.0/devicecode",
            form,
            from: login,
            by: deadline
        )
        guard response.status == 200 else {
            let answer = try? DeviceTokenAnswer(parsing: response.body, isSuccess: false)
            let text = if case .refused(let text) = answer { text } else { "status \(response.status)" }
            throw AccessCheckFault(.unsupported, detail: "Entra gives no code to \(clientID) (ClientID=): \(text)")
        }
        do throws(MessageError) {
            return EntraDeviceGrant(self, try DeviceAuthorization(parsing: response.body), machine, login: login)
        } catch {
            throw AccessCheckFault(error, from: login)
        }
    }

    /// Statuses below 500, except 429, are answers.
    func post(
        _ url: String,
        _ form: [(String, String)],
        from login: String,
        by deadline: BootTime
    ) async throws(AccessCheckFault) -> HTTPResponse {
        let body = form.map { "\($0)=\(percentEncoded($1))" }.joined(separator: "&")
        let request = HTTPRequest(
            .post,
            url,
            headers: [HTTPHeader("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(body.utf8),
            timeout: environment.time.bootTime().duration(to: deadline),
            proxy: environment.proxy,
            maximumBody: DeviceFlow.maximumBody
        )
        let response: HTTPResponse
        do throws(HTTPError) { response = try await environment.transport.send(request) } catch {
            throw AccessCheckFault(error, from: login)
        }
        guard response.status != 429, response.status < 500 else {
            throw AccessCheckFault(response, from: .login, at: login)
        }
        return response
    }
}

/// One code that Entra has issued.
private struct EntraDeviceGrant: DeviceGrant {
    private static let grantType = "urn:ietf:params:oauth:grant-type:device_code"

    private let flow: DeviceFlow
    private let authorization: DeviceAuthorization
    private let machine: Machine
    private let login: String

    init(_ flow: DeviceFlow, _ authorization: DeviceAuthorization, _ machine: Machine, login: String) {
        self.flow = flow
        self.authorization = authorization
        self.machine = machine
        self.login = login
    }

    private var base: String { "\(login)/\(machine.tenant)" }

    var userCode: String { authorization.userCode }
    var address: String { authorization.address }
    var lifetime: Duration { .seconds(authorization.lifetime) }
    var interval: Duration { .seconds(authorization.interval) }

    func redeem(by deadline: BootTime) async throws(AccessCheckFault) -> DeviceAnswer {
        let form = [
            ("grant_type", EntraDeviceGrant.grantType), ("client_id", flow.clientID.text),
            ("device_code", authorization.reveal()),
        ]
        let response = try await flow.post("\(base)/oauth2/v2.0/token", form, from: login, by: deadline)
        let answer: DeviceTokenAnswer
        do throws(MessageError) {
            answer = try DeviceTokenAnswer(parsing: response.body, isSuccess: response.status == 200)
        } catch {
            throw AccessCheckFault(error, from: login)
        }
        switch answer {
        case .pending: return .pending
        case .slowDown: return .slowDown
        case .declined: return .refused(Denial(.deviceDeclined))
        case .expired: return .refused(Denial(.deviceExpired, detail: "Entra says so"))
        case .refused(let text):
            return .refused(Denial(.identityToken, detail: "Entra gives no token to \(flow.clientID): \(text)"))
        case .identityToken(let token): return await verify(token, by: deadline)
        }
    }

    /// The code is spent, so every failure from here on is a refusal.
    private func verify(_ token: String, by deadline: BootTime) async -> DeviceAnswer {
        do throws(IdentityTokenRefusal) {
            let token = try IdentityToken(parsing: token)
            let keys: SigningKeys
            do throws(AccessCheckFault) { keys = try await signingKeys(by: deadline) } catch {
                return .refused(Denial(error.reason, detail: error.detail))
            }
            let expected = IdentityTokenExpectations(
                issuer: "\(flow.clouds.issuingHost(of: machine, asked: login))/\(machine.tenant)/v2.0",
                clientID: flow.clientID,
                tenant: machine.tenant,
                now: flow.environment.time.wallTime(),
                skew: flow.skew
            )
            let proven = try token.verified(by: keys, against: expected, isSigned: isSigned)
            return .proven(proven.identity, name: proven.name)
        } catch {
            let detail = "ID token: \(error.rawValue)"
            guard error != .tenant else { return .refused(Denial(elsewhere: detail)) }
            return .refused(Denial(.identityToken, detail: detail))
        }
    }

    /// Fetched for each sign-in, so that a key which Entra has withdrawn no longer counts.
    private func signingKeys(by deadline: BootTime) async throws(AccessCheckFault) -> SigningKeys {
        let url = "\(base)/discovery/v2.0/keys"
        let request = HTTPRequest(.get, url, timeout: .seconds(8), proxy: flow.environment.proxy)
        let client = RetryingClient(environment: flow.environment, policy: .interactive)
        let attempt = await client.send(
            request,
            attemptTime: .seconds(8),
            by: deadline,
            repeating: RetryingClient.isTransient
        )
        switch attempt {
        case .failure(let error): throw AccessCheckFault(error, from: login)
        case .success(let response):
            guard response.status == 200 else {
                throw AccessCheckFault(response, from: .login, at: url)
            }
            let instance = flow.clouds.known(of: machine)?.instance
            do throws(MessageError) {
                let scope = SigningKeyScope(cloudInstance: instance, tenant: machine.tenant)
                return try SigningKeys(parsing: response.body, in: scope)
            } catch {
                throw AccessCheckFault(error, from: url)
            }
        }
    }

    private func isSigned(by key: SigningKey, _ message: [UInt8], _ signature: [UInt8]) -> Bool {
        let fields = PublicKey.Fields.rsa(exponent: key.exponent, modulus: key.modulus)
        guard let key = try? PublicKey(type: .rsa, fields: fields),
            let signature = Signature(rsaSHA256: signature, by: key)
        else { return false }
        // A signature that cannot be checked counts as invalid.
        return (try? flow.signatures.isValid(signature, over: message[...], by: key)) ?? false
    }
}
