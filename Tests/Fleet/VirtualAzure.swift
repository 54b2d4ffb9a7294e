// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import HTTPTransport

/// What the endpoints of a whole fleet see.
enum Endpoint: String, CaseIterable {
    case metadata, pas, arm, login
}

/// Azure for a fleet: answers that our parsers take, a limit of requests a second with Retry-After, and an outage.
/// Microsoft publishes no limits: these are ours, and low enough to be felt.
final class VirtualAzure: @unchecked Sendable {
    // Unchecked: on the loop's thread only.

    struct Limits {
        /// Requests a second that are answered; as many more at once. The metadata service is each machine's own.
        var perSecond: [Endpoint: Double] = [.pas: 150, .arm: 150, .login: 200]
        var retryAfter = 10
        /// Every request to the cloud gets 503 meanwhile, after a moment.
        var outage: Range<Duration> = .zero ..< .zero
    }

    let loop: VirtualLoop
    let limits: Limits
    private let random = SeededRandom(7)
    private var tokens: [Endpoint: (level: Double, at: Duration)] = [:]
    /// Requests by second since the start, and those of them that were answered.
    private(set) var asked: [Endpoint: [Int]] = [:]
    private(set) var answered: [Endpoint: [Int]] = [:]

    init(loop: VirtualLoop, limits: Limits) {
        self.loop = loop
        self.limits = limits
    }

    func answer(_ request: HTTPRequest, machine: Int) async throws(HTTPError) -> HTTPResponse {
        let endpoint = Self.endpoint(request.url)
        count(endpoint, in: &asked)
        await loop.sleep(endpoint == .metadata ? 0.005 : 0.04 + 0.06 * random.fraction())
        guard endpoint != .metadata else { return reply(Self.metadata(request.url, machine)) }
        guard !limits.outage.contains(loop.now) else { return HTTPResponse(status: 503) }
        guard takesToken(endpoint) else {
            let after = HTTPHeader("Retry-After", "\(limits.retryAfter)")
            return HTTPResponse(status: 429, headers: [after], body: [])
        }
        count(endpoint, in: &answered)
        switch endpoint {
        case .login where request.url.hasSuffix("/keys"):
            return reply(Self.keys, HTTPHeader("Cache-Control", "max-age=86400, private"))
        case .login: return reply(Self.configuration)
        default: return reply(Self.decisions)
        }
    }

    private func reply(_ text: String, _ headers: HTTPHeader...) -> HTTPResponse {
        HTTPResponse(status: 200, headers: headers, body: Array(text.utf8))
    }

    private func count(_ endpoint: Endpoint, in table: inout [Endpoint: [Int]]) {
        let second = Int(loop.now.components.seconds)
        var row = table.removeValue(forKey: endpoint) ?? []
        if row.count <= second { row.append(contentsOf: repeatElement(0, count: second + 1 - row.count)) }
        row[second] += 1
        table[endpoint] = row
    }

    private func takesToken(_ endpoint: Endpoint) -> Bool {
        guard let rate = limits.perSecond[endpoint] else { return true }
        let (level, at) = tokens[endpoint] ?? (rate, loop.now)
        let full = min(rate, level + rate * at.distance(to: loop.now).inSeconds)
        tokens[endpoint] = (full >= 1 ? full - 1 : full, loop.now)
        return full >= 1
    }

    // MARK: Bodies

    static let tenant = "c0ffee00-0000-4000-8000-0000c0470500"

    static func objectID(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "0b1ec700-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    private static func endpoint(_ url: String) -> Endpoint {
        if url.hasPrefix("http://") { return .metadata }
        if url.hasPrefix("https://pas.") { return .pas }
        return url.hasPrefix("https://login.") ? .login : .arm
    }

    private static func metadata(_ url: String, _ machine: Int) -> String {
        if url.contains("/identity/info") { return "{\"tenantId\":\"\(tenant)\"}" }
        if url.contains("/oauth2/token") {
            let claims = "{\"oid\":\"\(objectID(machine))\",\"tid\":\"\(tenant)\"}"
            let token = "e30.\(Base64.encode(claims.utf8, .url)).x"
            return
                "{\"access_token\":\"\(token)\",\"expires_in\":\"86400\",\"token_type\":\"Bearer\",\"resource\":\"x\"}"
        }
        let resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm\(machine)"
        return "{\"azEnvironment\":\"AzurePublicCloud\",\"name\":\"vm\(machine)\",\"resourceId\":\"\(resource)\"}"
    }

    private static let decisions =
        "["
        + ["login", "loginAsAdmin"].map { action in
            "{\"actionId\":\"Microsoft.Compute/virtualMachines/\(action)/action\",\"isDataAction\":true,"
                + "\"accessDecision\":\"Allowed\",\"timeToLiveInMs\":300000}"
        }.joined(separator: ",") + "]"

    private static let keys: String = {
        let modulus = [UInt8](repeating: 0xc5, count: 256)
        return "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"e\":\"AQAB\",\"n\":\"\(Base64.encode(modulus, .url))\"}]}"
    }()

    private static let configuration =
        "{\"issuer\":\"x\",\"cloud_instance_name\":\"microsoftonline.com\",\"rbac_url\":\"https://pas.windows.net\"}"
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    func distance(to other: Duration) -> Duration { other - self }
}
