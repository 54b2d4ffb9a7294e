// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import HTTPTransport
import Identity
import Testing
import Wire

@testable import AzureServices
@testable import Server

@Suite struct StatusWarningsTests {
    /// The only warning.
    func only(_ standing: Standing) throws -> ReportedWarning {
        let warnings = standing.warnings
        #expect(warnings.count == 1, "\(warnings.map(\.id.rawValue))")
        return try #require(warnings.first)
    }

    /// A keyring without a fault, except for the given arguments.
    func keyring(
        keys: Int = 2,
        age: Int64? = 1,
        isStale: Bool = false,
        isPublished: Bool = true,
        sources: [AccessStatus.Source] = [Standing.key]
    ) -> AccessStatus.Keyring {
        AccessStatus.Keyring(
            keys: keys,
            rotatedOut: 0,
            age: age,
            isStale: isStale,
            isPublished: isPublished,
            sources: sources
        )
    }

    @Test("Where all is in order nothing is said")
    func fine() throws {
        #expect(try Standing().warnings.isEmpty)
    }

    @Test(
        "P16: A silent metadata service keeps people out while the machine is not known, or only from an earlier start",
        arguments: [(true, false), (true, true), (false, false)]
    )
    func metadata(_ isKnown: Bool, _ isFromStore: Bool) throws {
        var standing = try Standing()
        standing.machineState = AzureStatus.MachineState(
            machine: isKnown ? try Standing.machine() : nil,
            isFromStore: isFromStore,
            age: nil,
            fault: AccessCheckFault(.metadataClosed, detail: "HTTP 403")
        )
        let warning = try only(standing)
        #expect(warning.id.rawValue == "metadata-closed")
        #expect(warning.isGrave == (!isKnown || isFromStore))
        #expect(warning.text == "\(DenialReason.metadataClosed.text): HTTP 403")
        #expect(!warning.remedy.isEmpty)
    }

    @Test("P17: Jobs that were not started for want of an answer are named for an hour; refusals by Azure are not")
    func jobs() throws {
        var standing = try Standing()
        standing.tallies = [
            AccessStatus.Tally(event: "account", verdict: "deny", reason: "role-not-assigned", count: 9),
            AccessStatus.Tally(event: "session-opened", verdict: "allow", reason: nil, count: 9),
        ]
        #expect(standing.warnings.isEmpty)
        standing.tallies.append(
            AccessStatus.Tally(event: "account", verdict: "deny", reason: "no-recent-decision", count: 2)
        )
        let warning = try only(standing)
        #expect(warning.id.rawValue == "jobs-not-run" && !warning.isGrave && warning.text.hasPrefix("2 jobs"))
        #expect(warning.remedy.contains("@reboot"))
    }

    @Test("A managed identity that is missing is grave, and is said once for all audiences")
    func identity() throws {
        var standing = try Standing()
        let fault = AccessCheckFault(.noManagedIdentity, detail: "")
        standing.tokens = [
            AzureStatus.Token(audience: "a", remaining: nil, fault: fault),
            AzureStatus.Token(audience: "b", remaining: nil, fault: fault),
        ]
        let warning = try only(standing)
        #expect(warning.id.rawValue == "no-managed-identity")
        #expect(warning.isGrave)
        #expect(warning.text == DenialReason.noManagedIdentity.text)
    }

    @Test(
        "A missing application is said once, with its own remedy, and is no more than a word while another checker serves"
    )
    func application() throws {
        var standing = try Standing()
        let appID = "ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"
        let fault = AccessCheckFault(
            .applicationMissing,
            of: "imds",
            detail: "no service principal",
            remedy: .createApplication(try #require(GUID(appID)))
        )
        standing.tokens = [AzureStatus.Token(audience: appID, remaining: nil, fault: fault)]
        standing.checkers = [
            AzureStatus.Checker(name: "pas", standing: .notServing(fault, wait: .seconds(60)), latency: nil),
            AzureStatus.Checker(name: "arm", standing: .untried, latency: nil),
        ]
        #expect(try only(standing).isGrave)
        standing.checkers[1] = AzureStatus.Checker(name: "arm", standing: .serving, latency: nil)
        let warning = try only(standing)
        #expect(!warning.isGrave)
        #expect(warning.text == "\(DenialReason.applicationMissing.text): imds: no service principal")
        #expect(warning.remedy.contains("az ad sp create --id \(appID)") && !warning.remedy.contains("identity assign"))
    }

    @Test("Every failure of the transport that has a cause in the network has a remedy of its own")
    func causes() {
        let kinds: [(HTTPError.Kind, NetworkCause)] = [
            (.nameResolution, .nameResolution), (.proxy, .proxy), (.tls, .tls), (.timeout, .silence),
            (.unreachable, .closed), (.curlMissing, .noLibcurl),
        ]
        for (kind, cause) in kinds {
            #expect(NetworkCause(kind) == cause, "\(kind)")
            let fault = AccessCheckFault(.unreachable, of: "pas", detail: "", cause: NetworkCause(kind))
            #expect(AdministratorRemedy(machine: nil).text(for: fault) == cause.remedy)
            // Any other cause says more than `closed`.
            let both = AccessCheckFault(.unreachable, of: "arm", detail: "", cause: .closed, setAside: [fault])
            #expect(AdministratorRemedy(machine: nil).text(for: both) == cause.remedy)
        }
        #expect(NetworkCause(.dropped) == nil && NetworkCause(.malformed) == nil)
        #expect(Set(NetworkCause.allCases) == Set(kinds.map(\.1)))
    }

    @Test("A cloud that is not what the tables say is a word")
    func cloud() throws {
        var standing = try Standing()
        standing.remark = "the tenant names another cloud"
        let warning = try only(standing)
        #expect(warning.id.rawValue == "cloud")
        #expect(!warning.isGrave)
        #expect(warning.text == "the tenant names another cloud")
    }

    @Test("No signing key at all is grave, and the sources' faults are named")
    func noKeys() throws {
        var standing = try Standing()
        let sources = [
            AccessStatus.Source(
                name: "jwks",
                keys: 0,
                age: nil,
                fault: AccessCheckFault(.unreachable, detail: "no route")
            ),
            AccessStatus.Source(name: "imds", keys: 0, age: nil, fault: nil),
        ]
        standing.keyring = keyring(keys: 0, age: nil, isStale: true, sources: sources)
        let warning = try only(standing)
        #expect(warning.id.rawValue == "no-authority-keys")
        #expect(warning.isGrave)
        #expect(warning.text.hasSuffix("(jwks: unreachable: no route)"))
    }

    @Test("P16: while the metadata service says nothing, that is told, and not that keys are missing")
    func noKeysYet() throws {
        var standing = try Standing()
        let fault = AccessCheckFault(.metadataClosed, detail: "HTTP 403")
        standing.machineState = AzureStatus.MachineState(machine: nil, isFromStore: false, age: nil, fault: fault)
        standing.keyring = keyring(keys: 0, age: nil, isStale: true, sources: [])
        #expect(try only(standing).id.rawValue == "metadata-closed")
        // With TenantID= the daemon fetches keys without the metadata service.
        let source = AccessStatus.Source(
            name: "jwks",
            keys: 0,
            age: nil,
            fault: AccessCheckFault(.unreachable, detail: "")
        )
        standing.keyring = keyring(keys: 0, age: nil, isStale: true, sources: [source])
        #expect(Set(standing.warnings.map(\.id.rawValue)) == ["metadata-closed", "no-authority-keys"])
    }

    @Test("P4: a list of revoked keys that cannot be used is grave, and named; one that can is no word")
    func revokedKeys() throws {
        var standing = try Standing()
        standing.revocation = AccessStatus.Revocation(entries: 3, fault: nil)
        #expect(standing.warnings.isEmpty && standing.report.isReady)
        standing.revocation = AccessStatus.Revocation(entries: 0, fault: "/etc/revoked: a damaged KRL")
        let warning = try only(standing)
        #expect(warning.id.rawValue == "revoked-keys-unusable" && warning.isGrave)
        #expect(warning.text.hasSuffix("cannot be used: /etc/revoked: a damaged KRL"))
        #expect(!standing.report.isReady && standing.report.degraded == [warning.text])
    }

    @Test("Keys that nobody confirmed for long are a word")
    func staleKeys() throws {
        var standing = try Standing()
        standing.keyring = keyring(age: 200_000, isStale: true)
        let warning = try only(standing)
        #expect(warning.id.rawValue == "keys-stale")
        #expect(!warning.isGrave)
    }

    @Test("Keys that could not be published are grave")
    func unpublishedKeys() throws {
        var standing = try Standing()
        standing.keyring = keyring(isPublished: false)
        let warning = try only(standing)
        #expect(warning.id.rawValue == "keys-not-published")
        #expect(warning.isGrave)
    }

    @Test("A checker that does not serve is a word while another may, and grave when none is left")
    func checkers() throws {
        let fault = AccessCheckFault(.identityMayNotAsk, detail: "HTTP 403")
        var standing = try Standing()
        standing.checkers = [
            AzureStatus.Checker(name: "pas", standing: .notServing(fault, wait: .seconds(60)), latency: nil),
            AzureStatus.Checker(name: "arm", standing: .untried, latency: nil),
        ]
        let word = try only(standing)
        #expect(word.id.rawValue == "identity-may-not-ask")
        #expect(!word.isGrave)
        standing.checkers[1] = AzureStatus.Checker(
            name: "arm",
            standing: .failing(AccessCheckFault(.unreachable, detail: "")),
            latency: nil
        )
        #expect(standing.warnings.map(\.id.rawValue) == ["identity-may-not-ask", "unreachable"])
        #expect(standing.warnings.map(\.isGrave) == [true, true])
    }

    @Test(
        "Microsoft Graph that does not answer keeps people out, with its own reason; where it answers nothing is said"
    )
    func directory() throws {
        let fault = AccessCheckFault(.directoryRefused, of: "graph", detail: "status 403")
        var standing = try Standing()
        standing.directory = AzureStatus.Checker(name: "graph", standing: .serving, latency: .milliseconds(9))
        #expect(standing.warnings.isEmpty && standing.report.directory?.state == "ready")
        standing.directory = AzureStatus.Checker(
            name: "graph",
            standing: .notServing(fault, wait: .seconds(60)),
            latency: nil
        )
        let warning = try only(standing)
        #expect(
            warning.id.rawValue == "directory-refused" && warning.isGrave && warning.remedy.contains("User.Read.All")
        )
        #expect(standing.report.directory?.lastErrorCode == "directory-refused")
    }

    @Test(
        "P16: Memberships that Graph does not tell keep nobody out: no grave warning, and none of the accounts' words"
    )
    func memberships() throws {
        let remedy = FaultRemedy.giveGraph(.readMembers, to: nil, host: "https://graph.microsoft.com")
        let fault = AccessCheckFault(.directoryRefused, of: "graph", detail: "status 403", remedy: remedy)
        var standing = try Standing()
        standing.memberships = AzureStatus.Checker(
            name: "graph",
            standing: .notServing(fault, wait: .seconds(60)),
            latency: nil
        )
        let warning = try only(standing)
        #expect(warning.id.rawValue == "directory-refused" && !warning.isGrave)
        #expect(warning.text.contains("[Groups]") && !warning.text.contains("enabled"))
        #expect(warning.remedy.contains("GroupMember.Read.All"))
        #expect(standing.report.directory == nil)
    }

    @Test("An account store that cannot be read is grave")
    func store() throws {
        var standing = try Standing()
        standing.accounts.fault = "/var/lib/entralogin/accounts:3: not a line of entralogin's"
        let warning = try only(standing)
        #expect(warning.id.rawValue == "store-unreadable")
        #expect(warning.isGrave)
        #expect(warning.text == "/var/lib/entralogin/accounts:3: not a line of entralogin's")
    }

    @Test("P16: a full disk is grave where nobody new can be enrolled, and a word where only times cannot be noted")
    func disk() throws {
        var standing = try Standing()
        standing.accounts.warnings = ["sign-ins: No space left on device"]
        let warning = try only(standing)
        #expect(warning.id.rawValue == "disk" && !warning.isGrave)
        standing.accounts.warnings = []
        standing.accounts.enrolmentFaults = ["accounts: No space left on device"]
        let grave = try only(standing)
        #expect(grave.id.rawValue == "disk" && grave.isGrave && grave.text.contains("for the first time"))
    }

    @Test("P16: a file in /run that cannot be written does not send the administrator to the disk of /var/lib")
    func diskOfTheFile() throws {
        var standing = try Standing()
        standing.accounts.warnings = ["/run/entralogin/nss/grants.snapshot: No space left on device (errno 28)"]
        let warning = try only(standing)
        #expect(!warning.remedy.contains("/var/lib"))
        #expect(warning.remedy.contains("disk of that file"))
    }

    @Test("Audit events that somebody does not take are a word; a socket that is not there, or audit off, is none")
    func audit() throws {
        var standing = try Standing()
        standing.audit = AuditReport()
        #expect(standing.warnings.isEmpty)
        standing.audit?.dropped = 3
        standing.audit?.lastError = "Resource temporarily unavailable (errno 11)"
        let warning = try only(standing)
        #expect(
            warning.id.rawValue == "audit-dropped" && !warning.isGrave && warning.text.contains("3 events: Resource")
        )
        standing.audit?.isPresent = false
        #expect(standing.warnings.isEmpty && standing.report.audit?.dropped == 3)
    }

    @Test("P15: a journal that stands still for some seconds is a warning while it does; records lost before are none")
    func journal() throws {
        var standing = try Standing()
        standing.records = RecordsReport(waiting: 3, waitingSeconds: 4, lost: 9)
        #expect(standing.warnings.isEmpty)
        standing.records = RecordsReport(waiting: 3, waitingSeconds: 5, lost: 9)
        let warning = try only(standing)
        #expect(
            warning.id.rawValue == "journal-stuck" && !warning.isGrave && warning.text.contains("3 wait, 9 were lost")
        )
        standing.records = RecordsReport(lost: 9)
        #expect(standing.warnings.isEmpty && standing.report.records?.lost == 9)
    }

    @Test("P7: accounts that local ones hide cannot sign in, and are named, five of them at most")
    func shadowed() throws {
        var standing = try Standing()
        standing.accounts.shadowed = try (1...7).map { try name("p\($0)@contoso.com") }
        let warning = try only(standing)
        #expect(warning.id.rawValue == "shadowed")
        #expect(warning.isGrave)
        #expect(warning.text.contains(" 7 Entra accounts: p1@contoso.com, "))
        #expect(warning.text.hasSuffix("p5@contoso.com"))
    }

    @Test("P7: a local group with the name of entralogin's wins, and keeps nobody out")
    func shadowedGroup() throws {
        var standing = try Standing()
        standing.accounts.shadowedGroups = ["entra_users", "entra_admins"]
        let warning = try only(standing)
        #expect(warning.id.rawValue == "shadowed-group")
        #expect(!warning.isGrave)
        #expect(warning.text.contains("entra_users and entra_admins"))
    }

    @Test("P16: while refusals cannot be confirmed, people whose role a group holds are kept out, and that is grave")
    func confirmations() throws {
        for reason in [DenialReason.roleUnconfirmed, .identityMayNotAsk] {
            var standing = try Standing()
            standing.confirmationFault = AccessCheckFault(reason, of: "arm", detail: "")
            let warning = try only(standing)
            #expect(warning.isGrave && warning.text.contains("may be kept out"))
        }
    }
}
