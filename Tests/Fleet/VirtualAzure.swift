// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import HTTPTransport

/// The endpoints that a whole fleet asks.
enum Endpoint: String, CaseIterable {
    case metadata, pas, arm, login
}

/// Azure for a fleet: answers that the daemon's parsers accept, a limit of requests a second with Retry-After, and an
/// outage. ARM's limits are the published ones; none are published for the others, so these are low enough to matter.
final class VirtualAzure: @unchecked Sendable {
    // Unchecked: on the loop's thread only.

    struct Limits {
        /// Requests a second that are answered; as many again in a burst. Each machine has its own metadata service.
        /// ARM: 15 times a principal's 25 reads for a subscription and region, after a burst of ten seconds' worth.
        var perSecond: [Endpoint: Double] = [.pas: 150, .arm: 375, .login: 200]
        var burst: [Endpoint: Double] = [.arm: 3750]
        var readsOfOneMachine = 25.0
        /// ARM has less than its limit left for the machines: other clients of the subscription use the rest.
        var isARMThrottled = false
        var retryAfter = 10
        /// During this time every request to the cloud gets 503, after a moment.
        var outage: Range<Duration> = .zero ..< .zero
    }

    let loop: VirtualLoop
    let limits: Limits
    private let random = SeededRandom(7)
    private var tokens: [Endpoint: (level: Double, at: Duration)] = [:]
    private var machineTokens: [Int: (level: Double, at: Duration)] = [:]
    /// Whether checkaccess expands groups, as the question's two hints ask.
    var expandsGroups = false
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
        guard takesToken(endpoint), endpoint != .arm || takesToken(ofMachine: machine) else {
            let after = HTTPHeader("Retry-After", "\(limits.retryAfter)")
            return HTTPResponse(status: 429, headers: [after], body: [])
        }
        count(endpoint, in: &answered)
        switch endpoint {
        case .login where request.url.hasSuffix("/keys"):
            return reply(Self.keys, HTTPHeader("Cache-Control", "max-age=86400, private"))
        case .login: return reply(Self.configuration)
        default: return reply(answer(request))
        }
    }

    /// Answers a role question, or a request for role assignments.
    private func answer(_ request: HTTPRequest) -> String {
        if request.method == .post {
            let person = Self.person(String(decoding: request.body, as: UTF8.self), after: "\"ObjectId\":\"")
            switch Self.holding(of: person) {
            case .user: return Self.decisions("Allowed", "NotAllowed")
            case .administrator: return Self.decisions("Allowed", "Allowed")
            case .groupsAdministrator:
                return expandsGroups ? Self.decisions("Allowed", "Allowed") : Self.decisions("NotAllowed", "NotAllowed")
            }
        }
        if request.url.contains("/denyAssignments?") { return "{\"value\":[]}" }
        let isUser = request.url.contains("/roleDefinitions/\(Self.userRole)")
        if request.url.contains("/roleDefinitions/") {
            let actions = "Microsoft.Compute/virtualMachines/\(isUser ? "login" : "*")/action"
            return "{\"properties\":{\"permissions\":[{\"dataActions\":[\"\(actions)\"]}]}}"
        }
        let held = Self.holding(of: Self.person(request.url, after: "assignedTo%28%27"))
        let role = held == .user ? Self.userRole : Self.administratorRole
        return "{\"value\":[{\"properties\":{\"scope\":\"/subscriptions/s\",\"roleDefinitionId\":\"/x/\(role)\"}}]}"
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
        if endpoint == .arm, limits.isARMThrottled { return random.fraction() < 0.05 }
        return take(from: &tokens[endpoint], rate: rate, burst: limits.burst[endpoint] ?? rate)
    }

    private func takesToken(ofMachine machine: Int) -> Bool {
        take(from: &machineTokens[machine], rate: limits.readsOfOneMachine, burst: 10 * limits.readsOfOneMachine)
    }

    private func take(from bucket: inout (level: Double, at: Duration)?, rate: Double, burst: Double) -> Bool {
        let (level, at) = bucket ?? (burst, loop.now)
        let full = min(burst, level + rate * at.distance(to: loop.now).inSeconds)
        bucket = (full >= 1 ? full - 1 : full, loop.now)
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

    private static func decisions(_ user: String, _ administrator: String) -> String {
        let elements = [("login", user), ("loginAsAdmin", administrator)].map { action, word in
            "{\"actionId\":\"Microsoft.Compute/virtualMachines/\(action)/action\",\"isDataAction\":true,"
                + "\"accessDecision\":\"\(word)\",\"timeToLiveInMs\":300000}"
        }
        return "[\(elements.joined(separator: ","))]"
    }

    private static let userRole = "fb879df8-f326-4884-b1cf-06f3ad86be52"
    private static let administratorRole = "1c0163c0-47e6-4577-8991-ea5c82e286e4"

    private enum Holding { case user, administrator, groupsAdministrator }

    /// Of ten people, seven are users, one is an administrator, and two are administrators through a group.
    private static func holding(of person: Int) -> Holding {
        switch person % 10 {
        case 8: .administrator
        case 3, 6: .groupsAdministrator
        default: .user
        }
    }

    /// The person's number, from the object id that follows `mark`.
    private static func person(_ text: String, after mark: String) -> Int {
        guard let found = text.firstRange(of: mark) else { return 0 }
        return Int(text[found.upperBound...].prefix(36).suffix(12), radix: 16) ?? 0
    }

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
