// SPDX-License-Identifier: Apache-2.0

package import AccessControl
package import Authorization
internal import ByteCoding
internal import CWire
internal import Identity
package import LinuxSystem
package import Wire

/// The services behind the verbs, each as the function that answers. `callerPID` comes from the kernel.
package struct RoutedServices: Sendable {
    package typealias LookUp = @Sendable (_ name: String, _ command: String) -> Response
    package typealias CheckCertificate = @Sendable (CertificateRequest) -> PrincipalVerdict
    package typealias Authorize = @Sendable (AccountRequest, _ callerPID: Int32) async -> StageVerdict
    package typealias OpenSession = @Sendable (SessionRequest, _ callerPID: Int32) async -> StageVerdict
    package typealias CloseSession = @Sendable (_ user: String, _ uid: UInt32, _ callerPID: Int32) -> Void
    package typealias BeginDevice = @Sendable (DeviceRequest, _ callerPID: Int32) async -> DeviceProgress
    package typealias AwaitDevice = @Sendable (_ handle: String, _ callerPID: Int32) async -> DeviceProgress
    package typealias Report = @Sendable (Request) async -> Response

    let lookUp: LookUp
    let checkCertificate: CheckCertificate
    let authorize: Authorize
    let openSession: OpenSession
    let closeSession: CloseSession
    let beginDevice: BeginDevice
    let awaitDevice: AwaitDevice
    let report: Report

    package init(
        lookUp: @escaping LookUp,
        checkCertificate: @escaping CheckCertificate,
        authorize: @escaping Authorize,
        openSession: @escaping OpenSession,
        closeSession: @escaping CloseSession,
        beginDevice: @escaping BeginDevice,
        awaitDevice: @escaping AwaitDevice,
        report: @escaping Report
    ) {
        self.lookUp = lookUp
        self.checkCertificate = checkCertificate
        self.authorize = authorize
        self.openSession = openSession
        self.closeSession = closeSession
        self.beginDevice = beginDevice
        self.awaitDevice = awaitDevice
        self.report = report
    }
}

/// Takes a frame, checks whether the caller may ask, calls the service, and encodes the reply. Its only state is a
/// count.
package final class RequestRouter: Sendable {
    /// The longest frame that is read.
    package static let longestRequest = Int(ENTRALOGIN_FRAME_MAX)

    /// How a frame is answered.
    package enum Routing: Sendable {
        /// The reply is here.
        case now([UInt8])
        /// The reply takes time; it is made on the loop.
        case later(@Sendable () async -> [UInt8])
        /// Not the protocol: no reply.
        case nothing
    }

    /// The number of requests that the policy allowed.
    package let requests = RequestCount()
    private let policy: CallerPolicy
    private let services: RoutedServices
    private let wholeName: @Sendable (String) -> String

    /// `wholeName`: the name by which the services know an account that the system calls otherwise; every other text as
    /// it is.
    package init(
        policy: CallerPolicy,
        services: RoutedServices,
        wholeName: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.policy = policy
        self.services = services
        self.wholeName = wholeName
    }

    package func route(_ frame: [UInt8], from peer: PeerCredentials, on socket: SocketKind) -> Routing {
        let request: Request
        do throws(FrameError) {
            request = try Request(frame: frame)
        } catch {
            switch error {
            case .notOurs: return .nothing
            case .version(let opcode): return .now(RequestRouter.encode(.version, opcode))
            case .malformed(let opcode): return .now(RequestRouter.encode(.malformed, opcode))
            }
        }
        let opcode = request.verb.rawValue
        guard policy.allows(request.verb, from: peer, on: socket) else {
            return .now(RequestRouter.encode(.forbidden, opcode))
        }
        requests.note()
        switch answer(to: request.naming(wholeName), from: peer) {
        case .now(let response): return .now(RequestRouter.encode(response, opcode))
        case .later(let work): return .later { RequestRouter.encode(await work(), opcode) }
        }
    }

    private enum Answer {
        case now(Response)
        case later(@Sendable () async -> Response)
    }

    private func answer(to request: Request, from peer: PeerCredentials) -> Answer {
        // The services are copied only for requests that wait.
        switch request {
        case .lookUpName(let name, let command):
            return .now(services.lookUp(name, command))
        case .checkCertificate(let certificate):
            return .now(Response(services.checkCertificate(certificate)))
        case .authorize(let account):
            return .later { [services] in .verdict(await services.authorize(account, peer.pid)) }
        case .openSession(let session):
            return .later { [services] in .verdict(await services.openSession(session, peer.pid)) }
        case .closeSession(let user, let uid):
            services.closeSession(user, uid, peer.pid)
            return .now(.done)
        case .beginDevice(let device):
            return .later { [services] in .progress(await services.beginDevice(device, peer.pid)) }
        case .awaitDevice(let handle):
            return .later { [services] in .progress(await services.awaitDevice(handle, peer.pid)) }
        case .statusReport, .users, .explain, .testCertificate, .flush, .retire, .showUser, .rebind, .rename, .check,
            .sessions, .keys, .refreshKeys, .setShell, .setHome, .endSessions, .lock, .unlock, .access, .settings, .add:
            return .later { [services] in await services.report(request) }
        }
    }

    /// A reply that is too long for a frame becomes "unavailable"; it is never truncated.
    private static func encode(_ response: Response, _ opcode: UInt16) -> [UInt8] {
        do throws(ByteCodingError) {
            return try response.encode(opcode: opcode)
        } catch {
            let instead = try? Response.unavailable.encode(opcode: opcode)
            return instead ?? []
        }
    }
}

extension Response {
    init(_ verdict: PrincipalVerdict) {
        switch verdict {
        case .principal(let principal):
            self = .principal(principal)
        case .deny(let denial, let correlation):
            self = .refused(
                WireRefusal(reason: denial.reason.rawValue, text: denial.text, correlation: correlation.description)
            )
        }
    }
}
