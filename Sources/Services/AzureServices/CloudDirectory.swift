// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
internal import HTTPTransport
package import Identity
internal import InFlight
internal import Synchronization

/// The addresses of the services of the machine's cloud: from the administrator's settings, from the table, and for a
/// cloud that is not in the table from the tenant's OpenID configuration (azure.md, "Clouds"). For a cloud in the table
/// that document is only compared, never followed.
package final class CloudDirectory: Sendable {
    /// The login host for an unknown cloud if the administrator sets none.
    private static let lastResort = "https://login.microsoftonline.com"

    private struct Learnt {
        let cloud: String
        let configuration: OpenIDConfiguration
        let remark: String?
    }

    private let environment: AzureEnvironment
    private let endpoints: AzureEndpoints
    private let learnt = Mutex<Learnt?>(nil)
    private let requests: SingleFlight<String, OpenIDConfiguration>

    package init(_ environment: AzureEnvironment, endpoints: AzureEndpoints) {
        self.environment = environment
        self.endpoints = endpoints
        requests = SingleFlight(time: environment.time, tasks: environment.tasks)
    }

    /// What is known now, without a request; nil if not even the login host is known, whose keys are trusted.
    package func known(of machine: Machine) -> Cloud? {
        var cloud = endpoints.cloud(named: machine.cloud)
        guard cloud?.roleService == nil else { return cloud }
        let configuration = learnt.withLock { $0?.cloud == machine.cloud ? $0?.configuration : nil }
        guard let configuration else { return cloud }
        if cloud == nil, let login = configuration.login {
            cloud = Cloud(
                login: login,
                roleService: endpoints.roleService,
                resourceManager: endpoints.resourceManager,
                resourceManagerAudience: endpoints.resourceManagerAudience,
                graph: endpoints.graph,
                instance: configuration.cloudInstance
            )
        }
        if cloud?.roleService == nil { cloud?.roleService = configuration.roleService }
        return cloud
    }

    /// The login host, whose keys sign this cloud's certificates.
    package func login(of machine: Machine, by deadline: BootTime) async throws(AccessCheckFault) -> String {
        if let known = known(of: machine) { return known.login }
        try await learn(about: machine, by: deadline)
        guard let known = known(of: machine) else { throw unknown(machine, "login host", "LoginEndpoint=") }
        return known.login
    }

    /// The host in the issuer of this cloud's ID tokens: the published one, even if another was asked; for a cloud that
    /// is not in the table, the login host itself.
    func issuingHost(of machine: Machine, asked login: String) -> String { Cloud.named(machine.cloud)?.login ?? login }

    /// The host of the role service.
    package func roleService(of machine: Machine, by deadline: BootTime) async throws(AccessCheckFault) -> String {
        if let host = known(of: machine)?.roleService { return host }
        try await learn(about: machine, by: deadline)
        guard let host = known(of: machine)?.roleService else {
            throw unknown(machine, "role service", "PolicyEndpoint=")
        }
        return host
    }

    private func unknown(_ machine: Machine, _ what: String, _ setting: String) -> AccessCheckFault {
        let cloud = "cloud \(quoted(machine.cloud)) is not in the table"
        let detail = "\(cloud), and the tenant's OpenID configuration names no \(what): set \(setting)"
        return AccessCheckFault(.unreachable, detail: detail)
    }

    /// How table and OpenID configuration disagree; nil if they agree or were not compared yet.
    package var remark: String? { learnt.withLock { $0?.remark } }

    /// Compares table and configuration, unless that was done since the start. A failure is ignored.
    func compareOnce(_ machine: Machine, by deadline: BootTime) async {
        guard learnt.withLock({ $0?.cloud != machine.cloud }) else { return }
        try? await learn(about: machine, by: deadline)
    }

    /// Reads the tenant's OpenID configuration (no token needed) and compares it with what is known.
    package func learn(about machine: Machine, by deadline: BootTime) async throws(AccessCheckFault) {
        let configuration = try await requests.join(machine.cloud, by: deadline) { [self] deadline in
            do throws(AccessCheckFault) {
                return .success(try await read(machine, by: deadline))
            } catch {
                return .failure(error)
            }
        }
        let remark = Cloud.named(machine.cloud).flatMap { CloudDirectory.disagreement(of: configuration, with: $0) }
        learnt.withLock {
            $0 = Learnt(cloud: machine.cloud, configuration: configuration, remark: remark)
        }
    }

    private func read(_ machine: Machine, by deadline: BootTime) async throws(AccessCheckFault) -> OpenIDConfiguration {
        let login = endpoints.cloud(named: machine.cloud)?.login ?? Self.lastResort
        let url = "\(login)/\(machine.tenant)/v2.0/.well-known/openid-configuration"
        let client = RetryingClient(environment: environment, policy: .interactive)
        let request = HTTPRequest(.get, url, timeout: .seconds(10), proxy: environment.proxy)
        let attempt = await client.send(
            request,
            attemptTime: .seconds(10),
            by: deadline,
            repeating: RetryingClient.isTransient
        )
        switch attempt {
        case .failure(let error): throw AccessCheckFault(error, from: login)
        case .success(let response):
            guard response.status == 200 else {
                throw AccessCheckFault(response, from: .login, at: login)
            }
            do throws(MessageError) {
                return try OpenIDConfiguration(parsing: response.body)
            } catch {
                throw AccessCheckFault(error, from: login)
            }
        }
    }

    /// One sentence; nil if the two agree in what both of them state.
    private static func disagreement(of configuration: OpenIDConfiguration, with table: Cloud) -> String? {
        let pairs = [
            ("the role service", configuration.roleService, table.roleService),
            ("the cloud", configuration.cloudInstance, table.instance),
        ]
        let words = pairs.compactMap { what, named, expected -> String? in
            guard let named, let expected, named != expected else { return nil }
            return "\(what) \(named), the table \(expected)"
        }
        guard !words.isEmpty else { return nil }
        return "the tenant's OpenID configuration names " + words.joined(separator: ", and ")
    }
}
