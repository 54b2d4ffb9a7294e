// SPDX-License-Identifier: Apache-2.0

import AccessControl
import AccountDirectory
import Authorization
import AzureServices
import FoundationEssentials
import HTTPTransport
import Identity
import LinuxSystem
import OpenSSHCertificates
import Settings
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Server

/// The services behind the reports, with a folder of their own and without Azure.
final class ReportFixture: Sendable {
    let folder = TemporaryFolder()
    let book = RecordBook()
    let accounts: AccountDirectory
    let service: ReportService

    init() throws {
        var paths = AccountDirectory.Paths()
        paths.store = "\(folder.path)/accounts"
        paths.snapshot = "\(folder.path)/accounts.snapshot"
        paths.signIns = "\(folder.path)/sign-ins"
        paths.passwd = "\(folder.path)/passwd"
        paths.group = "\(folder.path)/group"
        for path in [paths.passwd, paths.group] { try AtomicFile(path).replace(with: [], mode: 0o644) }
        let grants = NoGrants()
        var policy = AccountPolicy()
        policy.homeTemplate = try HomeTemplate("/home/" + String(repeating: "h", count: 130) + "/%n")
        accounts = AccountDirectory(
            paths: paths,
            policy: policy,
            grants: grants,
            environment: .init(
                clock: StillTime(),
                random: Zeroes(),
                offload: { work in work() },
                holder: { _ in .nobody },
                nameHolder: { _ in .nobody }
            )
        )
        accounts.load()
        accounts.update(tenant: TenantID(contoso))
        let azure = AzureConnection(
            AzureEnvironment(
                transport: NoNetwork(),
                time: StillTime(),
                random: Zeroes(),
                tasks: FreeTasks(),
                proxy: .environment
            ),
            endpoints: AzureEndpoints(),
            metadata: .instance(clientID: nil),
            order: [.pas],
            store: MachineStore(load: { nil }, save: { _ in })
        )
        let access = AccessControl(
            AccessPorts(
                time: StillTime(),
                random: Zeroes(),
                starter: NoTasks(),
                log: book,
                machines: azure.machines,
                checker: azure.checker,
                accounts: accounts,
                grants: grants,
                signIns: accounts,
                processes: NoProcesses(),
                stamp: NoStamp(),
                certificates: CertificateVerifier(signatures: NoSignature(), digests: NoDigests()),
                revocation: NothingRevoked(),
                keySources: [],
                persistedKeys: nil,
                publishKeys: { _ in },
                ender: NothingRuns()
            )
        )
        service = ReportService(
            ReportSources(
                access: access,
                accounts: accounts,
                grants: grants,
                azure: azure,
                stamp: NoStamp(),
                time: StillTime(),
                startedAt: 1_699_999_000
            )
        )
    }

    /// Writes lines of passwd(5).
    func locals(_ passwd: String) throws {
        try AtomicFile("\(folder.path)/passwd").replace(with: Array(passwd.utf8), mode: 0o644)
    }

    /// Enrols an account with the record that sshd would have.
    func enrol(_ text: String, _ number: Int, displayName: String = "Somebody") async throws {
        guard case .provisional(let account) = accounts.view().standing(of: try name(text)) else {
            Issue.record("\(text) is not provisional")
            return
        }
        let named = Account(
            name: account.name,
            uid: account.uid,
            displayName: displayName,
            home: account.home,
            shell: account.shell
        )
        _ = try await accounts.enrol(named, as: try identity(number))
    }

    func document<Report: Decodable>(_ request: Request, _ type: Report.Type) async throws -> Report {
        let response = await service.answer(request)
        guard case .document(let bytes) = response else {
            Issue.record("no document: \(response)")
            throw CancellationError()
        }
        // The report must fit into a frame.
        _ = try response.encode(opcode: request.verb.rawValue)
        return try JSONDecoder().decode(type, from: Data(bytes))
    }
}

private struct StillTime: TimeSource {
    func wallTime() -> UnixTime { UnixTime(seconds: 1_700_000_000) }
    func bootTime() -> BootTime { BootTime(sinceBoot: .seconds(1_000)) }
    func sleep(until time: BootTime) async {}
}

private struct Zeroes: RandomSource {
    func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}

private struct NoTasks: TaskStarter {
    func start(_ operation: @escaping @Sendable () async -> Void) {}
}

/// Each question to Azure is a task of its own, which must run so that the caller learns that there is no answer.
private struct FreeTasks: TaskStarter {
    func start(_ operation: @escaping @Sendable () async -> Void) { Task { await operation() } }
}

private struct NoNetwork: HTTPTransport {
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse { HTTPResponse(status: 503) }
}

private struct NoGrants: GrantRegistry {
    func grant(uid: PosixID, until expiry: BootTime) throws(Denial) {}
    func withdraw(uid: PosixID) {}
    func current() -> [PosixID: BootTime] { [:] }
    var fault: String? { nil }
}

private struct NoProcesses: ProcessWatcher {
    func watch(pid: Int32) -> (any WatchedProcess)? { nil }
    func hasLoginSession(uid: UInt32) -> Bool { false }
}

private struct NoStamp: StackStamp {
    func refusal() -> Denial? { Denial(.stackNotVerified, detail: "no stamp") }
}

final class RecordBook: RecordLog {
    private let all = Mutex<[DecisionRecord]>([])

    var records: [DecisionRecord] { all.withLock { $0 } }

    func record(_ record: DecisionRecord) { all.withLock { $0.append(record) } }
}

/// A machine on which no account has processes.
struct NothingRuns: SessionEnder {
    func end(uid: UInt32, named name: String, because cause: EndingCause) async throws(EndingFault) -> EndedProcesses {
        EndedProcesses(ended: 0, left: 0, others: [])
    }
}
