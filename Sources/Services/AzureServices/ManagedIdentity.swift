// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import AzureMessages
package import Identity
internal import InFlight
internal import Synchronization

/// The machine's own tokens, one per audience: cached, renewed in the background at half their lifetime, fetched by one
/// request at a time.
package final class ManagedIdentity: Sendable {
    /// A token is not used this shortly before its end: it has to outlive the request that carries it.
    private static let margin = Duration.seconds(30)
    /// How long a renewal in the background may take.
    private static let renewalTime = Duration.seconds(60)

    private struct Held {
        let token: AccessToken
        let renewAt: BootTime
        let endsAt: BootTime
    }

    private struct State {
        var held: [String: Held] = [:]
        /// The claims of the last token, which may have been discarded since.
        var claims: TokenClaims?
        var faults: [String: AccessCheckFault] = [:]
        /// A failed renewal is not retried before this time.
        var notBefore: [String: BootTime] = [:]
    }

    private let service: any MetadataService
    private let environment: AzureEnvironment
    private let requests: SingleFlight<String, AccessToken>
    private let state = Mutex(State())

    package init(_ environment: AzureEnvironment, service: any MetadataService) {
        self.service = service
        self.environment = environment
        requests = SingleFlight(time: environment.time, tasks: environment.tasks)
    }

    /// A token that is valid for at least half a minute.
    package func token(for audience: String, by deadline: BootTime) async throws(AccessCheckFault) -> AccessToken {
        let now = environment.time.bootTime()
        let (held, mayRenew) = state.withLock { state in
            (state.held[audience], state.notBefore[audience].map { $0 <= now } ?? true)
        }
        if let held, now < held.endsAt {
            if now >= held.renewAt, mayRenew {
                requests.begin(audience, by: now.advanced(by: Self.renewalTime)) { [self] deadline in
                    await fetch(audience, by: deadline)
                }
            }
            return held.token
        }
        return try await requests.join(audience, by: deadline) { [self] deadline in await fetch(audience, by: deadline)
        }
    }

    /// Forgets a token that a service refused; no effect if another one is held by now.
    package func discard(_ token: AccessToken, for audience: String) {
        state.withLock { state in
            if state.held[audience]?.token == token { state.held[audience] = nil }
        }
    }

    /// The machine's identity in its tenant, from the claims of its own tokens; nil before the first one.
    package var claims: TokenClaims? {
        state.withLock { state in state.held.values.lazy.compactMap(\.token.claims).first ?? state.claims }
    }

    /// For the status report, by audience.
    package var status: [AzureStatus.Token] {
        let now = environment.time.bootTime()
        return state.withLock { state in
            Set(state.held.keys).union(state.faults.keys).sorted().map { audience in
                AzureStatus.Token(
                    audience: audience,
                    remaining: state.held[audience].map { max(.zero, now.duration(to: $0.endsAt)) },
                    fault: state.faults[audience]
                )
            }
        }
    }

    private func fetch(_ audience: String, by deadline: BootTime) async -> Result<AccessToken, AccessCheckFault> {
        let outcome: Result<ManagedIdentityToken, AccessCheckFault>
        do throws(AccessCheckFault) {
            outcome = .success(try await service.token(for: audience, by: deadline))
        } catch {
            outcome = .failure(error)
        }
        let now = environment.time.bootTime()
        let wallTime = environment.time.wallTime()
        // Renewal spreads over a tenth of the lifetime, so that machines started together do not ask together.
        let spread = 0.5 - environment.jitter() / 10
        return state.withLock { state in
            switch outcome {
            case .success(let answer):
                let life = Duration.seconds(answer.lifetime(at: wallTime))
                state.held[audience] = Held(
                    token: answer.token,
                    renewAt: now.advanced(by: life * spread),
                    endsAt: now.advanced(by: life - Self.margin)
                )
                state.claims = answer.token.claims ?? state.claims
                state.faults[audience] = nil
                state.notBefore[audience] = nil
                return .success(answer.token)
            case .failure(let fault):
                state.faults[audience] = fault
                state.notBefore[audience] = now.advanced(by: .seconds(60) * (spread * 2))
                return .failure(fault)
            }
        }
    }
}
