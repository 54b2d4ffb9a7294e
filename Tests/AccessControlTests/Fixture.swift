// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import ByteCoding
import CertificateFactory
import Identity
import Libcrypto
import OpenSSHCertificates
import Testing

/// An Entra user who signs in.
struct Person: Sendable {
    let name: UserName
    let identity: DirectoryIdentity
    let uid: PosixID
    let home: String

    static let tenant = "11111111-1111-4111-8111-111111111111"

    init(_ name: String, _ number: UInt32, uid id: UInt32? = nil, tenant: String = Person.tenant) throws {
        self.name = try #require(UserName(name))
        let digits = String(number, radix: 16)
        let guid = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        identity = DirectoryIdentity(
            tenant: try #require(TenantID(tenant)),
            objectID: try #require(ObjectID(guid))
        )
        uid = try #require(PosixID(user: PosixID.userRange.lowerBound + (id ?? number)))
        home = "/home/\(name)"
    }

    var account: Account { Account(name: name, uid: uid, displayName: "", home: home, shell: "/bin/bash") }

    func enrolled(at seconds: Int64 = 1_799_999_000, isAdded: Bool = false) -> EnrolledAccount {
        EnrolledAccount(
            account: account,
            identity: identity,
            enrolledAt: UnixTime(seconds: seconds),
            isAdded: isAdded
        )
    }
}

/// The whole AccessControl module over fakes, with a clock that only the test moves.
final class Fixture: Sendable {
    let time: VirtualTime
    let starter = PlainStarter()
    let log = RecordBook()
    let checker = ScriptedChecker()
    let accounts = FakeAccounts()
    let grants = FakeGrants()
    let processes = FakeProcesses()
    let stamp = FakeStamp()
    let revocation = FakeRevocation()
    let ender = FakeEnder()
    let machines: FakeMachines
    let source: FakeKeySource
    let keyFile = FakeKeyFile()
    let access: AccessControl
    let machine: Machine

    init(
        settings: AccessSettings = AccessSettings(),
        time: VirtualTime = VirtualTime(),
        standingGrants: [(Person, Duration)] = [],
        persistedKeys: Bool = true,
        keyFile persisted: [UInt8]? = nil,
        furtherSources: [FakeKeySource] = [],
        devices: (any DeviceAuthority)? = nil,
        keeper: any SessionKeeper = NoSessionKeeper(),
        accountChecker: (any AccountChecker)? = nil,
        groups: GroupPorts? = nil,
        announceAnswer: @escaping @Sendable () -> Void = {},
        sshdKeys: (@Sendable () -> [PublicKey]?)? = nil
    ) throws {
        self.time = time
        let resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1"
        machine = Machine(
            kind: .virtualMachine,
            resource: try #require(ResourceID(resource)),
            tenant: try #require(TenantID(Person.tenant)),
            name: "vm1",
            cloud: "AzurePublicCloud"
        )
        machines = FakeMachines(machine)
        let key = try Fixture.key(1)
        source = FakeKeySource("jwks", [key])
        for (person, rest) in standingGrants {
            try grants.grant(uid: person.uid, until: time.bootTime().advanced(by: rest))
        }
        let line = "\(key.line) entralogin source=jwks seen=1800000000\n"
        let keyFile = keyFile
        let ports = AccessPorts(
            time: time,
            random: CountingRandom(),
            starter: starter,
            log: log,
            machines: machines,
            checker: checker,
            accountChecker: accountChecker,
            groups: groups,
            accounts: accounts,
            grants: grants,
            signIns: accounts,
            processes: processes,
            stamp: stamp,
            certificates: Fixture.verifier,
            revocation: revocation,
            devices: devices,
            keySources: [source] + furtherSources,
            persistedKeys: persisted ?? (persistedKeys ? Array(line.utf8) : nil),
            bootID: Fixture.boot,
            publishKeys: { try keyFile.replace($0) },
            ender: ender,
            keeper: keeper,
            announceAnswer: announceAnswer,
            sshdKeys: sshdKeys
        )
        access = AccessControl(ports, settings: settings)
    }

    static func key(_ number: UInt8) throws -> PublicKey {
        try PublicKey(type: .ed25519, fields: .ed25519([UInt8](repeating: number, count: 32)))
    }

    static let sshd: Int32 = 4711
    static let boot = "0f3c1a52-0000-4000-8000-000000000001"
    static let keyType = "ssh-ed25519-cert-v01@openssh.com"

    /// The product's rules. Nothing here is signed, so every signature is accepted; LibcryptoTests test signatures.
    static let verifier = CertificateVerifier(
        signatures: TakesEverySignature(),
        digests: LibcryptoDigests(),
        limits: ValidityLimits(maximumLifetime: .max)
    )

    /// A valid certificate of `person`, in base64. Each number gives a different one.
    func certificate(for person: Person, _ number: UInt8 = 1) -> String {
        Fixture.certificate(for: person, number)
    }

    static func certificate(
        for person: Person,
        _ number: UInt8 = 1,
        principal: String? = nil,
        authority: UInt8 = 1,
        validBefore: UInt64 = .max
    ) -> String {
        let (objectID, tenant) = (person.identity.objectID.description, person.identity.tenant.description)
        var details = CertificateDetails(
            now: 1_800_000_000,
            objectID: objectID,
            tenantID: tenant,
            principal: principal ?? person.name.text
        )
        details.validBefore = min(validBefore, details.validAfter + UInt64(UInt32.max))
        let keyType = HandmadeCertificate.string("ssh-ed25519")
        var certificate = HandmadeCertificate(
            keyFields: HandmadeCertificate.string([UInt8](repeating: number, count: 32)),
            authorityBlob: keyType + HandmadeCertificate.string([UInt8](repeating: authority, count: 32)),
            objectID: objectID,
            tenantID: tenant,
            displayName: "Somebody",
            details: details
        )
        certificate.typeName = Fixture.keyType
        let signature = keyType + HandmadeCertificate.string([UInt8](repeating: 0, count: 64))
        return Base64.encode(certificate.signedBytes + HandmadeCertificate.string(signature))
    }

    func request(_ person: Person, _ certificate: String, in pid: Int32 = Fixture.sshd) -> CertificateRequest {
        CertificateRequest(
            user: person.name.text,
            uid: person.uid.number,
            home: person.home,
            keyType: Fixture.keyType,
            certificate: certificate,
            sshdProcess: UInt32(pid)
        )
    }

    func accountRequest(_ person: Person, service: String = "sshd") -> AccountRequest {
        AccountRequest(
            service: service,
            user: person.name.text,
            uid: person.uid.number,
            home: person.home,
            isInSSHD: service == "sshd"
        )
    }

    func sessionRequest(_ person: Person, used: String) -> SessionRequest {
        SessionRequest(
            service: "sshd",
            user: person.name.text,
            uid: person.uid.number,
            gid: person.uid.number,
            home: person.home,
            homeState: .absent,
            authenticationInfo: "publickey \(Fixture.keyType) \(used)\n"
        )
    }

    /// Certificate check, account stage and open_session, as sshd runs them.
    func signIn(_ person: Person, in pid: Int32 = Fixture.sshd) async -> StageVerdict {
        let certificate = certificate(for: person)
        _ = access.certificateCheck.check(request(person, certificate, in: pid))
        _ = access.certificateCheck.check(request(person, certificate, in: pid))
        let account = await access.accountStage.decide(accountRequest(person), callerPID: pid)
        guard account == .allow else { return account }
        return await access.sessionStage.open(sessionRequest(person, used: certificate), callerPID: pid)
    }

    func sudo(_ person: Person, holdsGroup: Bool = false) async -> StageVerdict {
        var request = accountRequest(person, service: "sudo")
        request.invokingUID = person.uid.number
        request.invokingUser = person.name.text
        request.holdsAdministratorsGroup = holdsGroup
        return await access.accountStage.decide(request, callerPID: 99)
    }
}

extension StageVerdict {
    var reason: DenialReason? {
        guard case .deny(let denial, _) = self else { return nil }
        return denial.reason
    }
}

extension PrincipalVerdict {
    var reason: DenialReason? {
        guard case .deny(let denial, _) = self else { return nil }
        return denial.reason
    }
}

extension Ruling {
    var reason: DenialReason? {
        guard case .deny(let denial) = decision else { return nil }
        return denial.reason
    }

    var allow: AllowSource? {
        guard case .allow(_, let source) = decision else { return nil }
        return source
    }
}
