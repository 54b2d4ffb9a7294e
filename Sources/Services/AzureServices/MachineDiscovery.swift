// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
package import Identity
internal import InFlight
internal import Synchronization

/// Stores the last known machine across restarts.
package struct MachineStore: Sendable {
    /// Nil if there is none, or it cannot be read.
    package let load: @Sendable () -> [UInt8]?
    /// Best effort: after a failure, the next start has to wait for an answer. Returns when it is on disk or has
    /// failed.
    package let save: @Sendable ([UInt8]) async -> Void

    package init(load: @escaping @Sendable () -> [UInt8]?, save: @escaping @Sendable ([UInt8]) async -> Void) {
        self.load = load
        self.save = save
    }
}

/// Finds out which Azure resource this machine is, keeps the last good answer, and asks again from time to time.
package final class MachineDiscovery: MachineSource {
    /// Time between two refreshes: a machine may be moved to another resource group.
    private static let refreshInterval = Duration.seconds(3600)
    /// Before the first answer: at boot the metadata service may be late, and every sign-in waits for it. It serves
    /// this machine alone, so short waits burden no other.
    private static let firstRetry = RetryPolicy(first: .seconds(1), longest: .seconds(8), attempts: .max)
    /// After the first answer.
    private static let retry = RetryPolicy(first: .seconds(1), longest: .seconds(60), attempts: .max)
    /// The limit of one attempt: short enough that `status` soon shows why there is no answer.
    private static let attemptTime = Duration.seconds(10)
    private static let comparisonTime = Duration.seconds(1)

    private struct State {
        var machine: Machine?
        var isFromStore = false
        var answeredAt: BootTime?
        var fault: AccessCheckFault?
        var tenantRemark: String?
        var isStopped = false
    }

    private let environment: AzureEnvironment
    private let service: any MetadataService
    private let identity: ManagedIdentity
    private let endpoints: AzureEndpoints
    private let store: MachineStore
    /// `TenantID=`; nil: the tenant that the machine's subscription trusts.
    private let pinned: TenantID?
    private let requests: SingleFlight<Int, Machine>
    private let state: Mutex<State>

    /// Reads the store; sends no request yet. `tenant` is the administrator's setting, which overrides every other
    /// source.
    package init(
        _ environment: AzureEnvironment,
        service: any MetadataService,
        identity: ManagedIdentity,
        endpoints: AzureEndpoints,
        store: MachineStore,
        tenant: TenantID? = nil
    ) {
        self.environment = environment
        self.service = service
        self.identity = identity
        self.endpoints = endpoints
        self.store = store
        pinned = tenant
        requests = SingleFlight(time: environment.time, tasks: environment.tasks)
        var kept = store.load().flatMap { MachineRecord(parsing: $0)?.machine }
        // The record may be older than the setting.
        if let tenant, let machine = kept { kept = machine.trusting(tenant) }
        state = Mutex(State(machine: kept, isFromStore: kept != nil))
    }

    package var current: Machine? { state.withLock { $0.machine } }

    package func machine(by deadline: BootTime) async throws(AccessCheckFault) -> Machine {
        if let confirmed = state.withLock({ $0.isFromStore ? nil : $0.machine }) { return confirmed }
        return try await refresh(by: deadline)
    }

    /// Asks now, even if an answer is known; one request at a time.
    package func refresh(by deadline: BootTime) async throws(AccessCheckFault) -> Machine {
        try await requests.join(0, by: deadline) { [self] deadline in await ask(by: deadline) }
    }

    /// Asks until there is an answer, then once in about an hour, until `stop()`.
    package func start() {
        environment.tasks.start { [self] in
            var failures = 0
            while !state.withLock({ $0.isStopped }) {
                let now = environment.time.bootTime()
                do throws(AccessCheckFault) {
                    _ = try await refresh(by: now.advanced(by: Self.attemptTime))
                    failures = 0
                } catch {
                    failures += 1
                }
                await environment.time.sleep(until: environment.time.bootTime().advanced(by: pause(after: failures)))
            }
        }
    }

    package func stop() { state.withLock { $0.isStopped = true } }

    package var status: AzureStatus.MachineState {
        let now = environment.time.bootTime()
        return state.withLock { state in
            AzureStatus.MachineState(
                machine: state.machine,
                isFromStore: state.isFromStore,
                age: state.answeredAt.map { $0.duration(to: now) },
                fault: state.fault,
                tenantRemark: state.tenantRemark
            )
        }
    }

    private func pause(after failures: Int) -> Duration {
        let jitter = environment.jitter()
        guard failures > 0 else { return Self.refreshInterval * (0.8 + 0.4 * jitter) }
        let retry = state.withLock { $0.answeredAt == nil } ? Self.firstRetry : Self.retry
        return retry.wait(afterAttempt: failures, retryAfter: nil, jitter: jitter) ?? Self.refreshInterval
    }

    private func ask(by deadline: BootTime) async -> Result<Machine, AccessCheckFault> {
        let outcome: Result<Machine, AccessCheckFault>
        do throws(AccessCheckFault) {
            outcome = .success(try await discover(by: deadline))
        } catch {
            outcome = .failure(error)
        }
        let now = environment.time.bootTime()
        let isNew = state.withLock { state in
            switch outcome {
            case .success(let machine):
                let isNew = state.machine != machine
                state.machine = machine
                state.isFromStore = false
                state.answeredAt = now
                state.fault = nil
                return isNew
            case .failure(let fault):
                state.fault = fault
                return false
            }
        }
        if isNew, case .success(let machine) = outcome { await store.save(MachineRecord(machine).bytes) }
        return outcome
    }

    private func discover(by deadline: BootTime) async throws(AccessCheckFault) -> Machine {
        let instance = try await service.instance(by: deadline)
        var tenant = pinned
        if let pinned { await compare(pinned, by: deadline) }
        if tenant == nil { tenant = try await service.tenant(by: deadline) }
        if tenant == nil { tenant = try await tenantOfOurToken(cloud: instance.cloud, by: deadline) }
        guard let tenant else {
            throw AccessCheckFault(
                .machineUnknown,
                of: service.name,
                detail: "neither it nor the machine's token names the tenant"
            )
        }
        return Machine(
            kind: instance.kind,
            resource: instance.resource,
            tenant: tenant,
            name: instance.name,
            cloud: instance.cloud
        )
    }

    /// Compares `TenantID=` with the metadata service, only to report a difference: the setting counts. Waits one
    /// second at most.
    private func compare(_ pinned: TenantID, by deadline: BootTime) async {
        let limit = min(deadline, environment.time.bootTime().advanced(by: Self.comparisonTime))
        guard let said = try? await service.tenant(by: limit) else { return }
        let remark = said == pinned ? nil : "TenantID= names \(pinned), the metadata service \(said)"
        state.withLock { $0.tenantRemark = remark }
    }

    /// Arc's metadata service does not name the tenant (azure.md, "Azure Arc"); a token that it gives out does.
    private func tenantOfOurToken(cloud: String, by deadline: BootTime) async throws(AccessCheckFault) -> TenantID? {
        // The role service's audience is the same in every cloud, even in unknown ones.
        let audience = endpoints.cloud(named: cloud)?.resourceManagerAudience ?? endpoints.roleServiceAudience
        return try await identity.token(for: audience, by: deadline).claims?.tenant
    }
}

extension Machine {
    fileprivate func trusting(_ tenant: TenantID) -> Machine {
        Machine(kind: kind, resource: resource, tenant: tenant, name: name, cloud: cloud)
    }
}
