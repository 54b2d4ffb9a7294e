// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import Identity
internal import Libcrypto
internal import LinuxSystem
internal import OpenSSHCertificates
package import Wire

/// Answers entraloginctl. Root only (`CallerPolicy`); reports hold no secret.
package struct ReportService: Sendable {
    /// Sessions, or keys, in one report: each is below 200 bytes, and a frame holds 64 KiB.
    static let listLimit = 256
    /// The longest wait for a fetch of the keys: below the tool's own deadline.
    static let refreshTime = Duration.seconds(12)

    private let sources: ReportSources
    private let users: UserService
    private let roles: RoleCheckService

    package init(_ sources: ReportSources) {
        self.sources = sources
        users = UserService(sources)
        roles = RoleCheckService(sources)
    }

    package func answer(_ request: Request) async -> Response {
        switch request {
        case .statusReport: .document(ReportText.json(await status()))
        case .users(let after): .document(ReportText.json(await users.page(after: after)))
        case .explain(let name):
            .document(ReportText.json(await sources.access.explanation.explain(name, asking: true)))
        case .testCertificate(let user, let certificate): .document(ReportText.json(test(user, certificate)))
        case .flush: await flush()
        case .showUser(let name): await users.show(name)
        case .add(let name, let objectID, let groups): await users.add(name, as: objectID, joining: groups)
        case .retire(let name): await users.retire(name)
        case .rebind(let name, let objectID): await users.rebind(name, to: objectID)
        case .rename(let name, let new): await users.rename(name, to: new)
        case .setShell(let name, let shell): await users.setShell(name, to: shell)
        case .setHome(let name, let home): await users.setHome(name, to: home)
        case .endSessions(let name): await users.endSessions(name)
        case .lock(let name): await users.lock(name)
        case .unlock(let name): await users.unlock(name)
        case .access: await AccessListService(sources).answer()
        case .settings: .document(ReportText.json(SettingsInForce(values: sources.settings())))
        case .check(let name, let objectID): await roles.check(name, objectID: objectID)
        case .sessions: .document(ReportText.json(sessions()))
        case .keys: .document(ReportText.json(keys()))
        case .refreshKeys: .document(ReportText.json(await refreshedKeys()))
        case .lookUpName, .checkCertificate, .authorize, .openSession, .closeSession, .beginDevice, .awaitDevice:
            .malformed
        }
    }

    private func status() async -> StatusReport {
        let status = StatusAssembly(
            azure: sources.azure.status,
            access: await sources.access.status(),
            accounts: sources.accounts.report(),
            grants: sources.grants.current().count,
            stackRefusal: sources.stamp.refusal(),
            now: sources.time.wallTime(),
            startedAt: sources.startedAt,
            memoryBytes: MemoryUsage.residentBytes().map { Int64($0) },
            dispute: roles.dispute,
            audit: sources.audit(),
            records: sources.records()
        )
        return status.report
    }

    private func sessions() -> SessionsReport {
        let open = sources.access.openSessions()
        let accounts = sources.accounts.view()
        let shown = open.prefix(ReportService.listLimit).map { entry in
            let account = accounts.enrolled(uid: entry.uid.number)?.account
            return SessionReport(
                name: account?.name.text ?? "",
                uid: account?.systemUID ?? entry.uid.number,
                pid: entry.pid,
                openedAt: entry.openedAt.seconds,
                isAdministrator: entry.isAdministrator
            )
        }
        return SessionsReport(sessions: Array(shown), total: open.count)
    }

    private func keys() -> KeyListReport {
        let held = sources.access.keyring.held
        let shown = held.prefix(ReportService.listLimit).map { held in
            KeyReport(
                fingerprint: SHA256.fingerprint(of: held.key),
                type: held.key.type.rawValue,
                source: held.source,
                confirmedAt: held.seenAt.seconds,
                rotatedOutAt: held.missingSince?.seconds
            )
        }
        return KeyListReport(keys: Array(shown), total: held.count)
    }

    /// The keys after a fetch, or as they are if the fetch has not ended by `refreshTime`.
    private func refreshedKeys() async -> KeyListReport {
        let keyring = sources.access.keyring
        let deadline = sources.time.bootTime().advanced(by: ReportService.refreshTime)
        let hasEnded = await keyring.refreshed(by: deadline)
        var report = keys()
        let faults = keyring.faults.map { "\($0.source): \(AdministratorRemedy.sentence($0.fault))" }
        report.faults = hasEnded ? faults : faults + ["the sources have not all answered yet"]
        return report
    }

    private func flush() async -> Response {
        await sources.access.authorizer.flush()
        sources.azure.checker.forget()
        return .done
    }

    private func test(_ user: String, _ certificate: String) -> CertificateReport {
        let examination = CertificateExamination(
            verify: { keyType, base64, name throws(Denial) in
                try sources.access.verify(keyType: keyType, base64: base64, for: name).principal
            },
            examine: sources.access.examine
        )
        return examination.report(user: user, certificate: certificate)
    }
}
