// SPDX-License-Identifier: Apache-2.0

internal import AzureMessages
internal import ByteCoding
internal import Identity

// Seeds: one answer of each kind, written by hand from the contract; the key set holds a throw-away key of
// `openssl req -x509 -newkey rsa:2048`. Every reader of a target reads every input.

func takesJSON(_ bytes: [UInt8]) -> Bool {
    guard let document = try? JSON(parsing: bytes) else { return false }
    guard let again = try? JSON(parsing: document.bytes) else { fatalError("what is written is no JSON") }
    promise(again == document && again.bytes == document.bytes, "a document is not what is written of it")
    promise((try? JSON(parsing: bytes + Array("0".utf8))) == nil || document.isNumber, "a trailing byte was read")
    var values = 0
    promise(document.depth(counting: &values) <= JSON.Limit.depth, "nested too deeply")
    promise(values <= JSON.Limit.values, "too many values")
    return true
}

extension JSON {
    fileprivate var isNumber: Bool {
        if case .number = self { true } else { false }
    }

    fileprivate func depth(counting values: inout Int) -> Int {
        values += 1
        switch self {
        case .null, .boolean, .string: return 0
        case .number(let literal):
            promise(literal.utf8.count <= Limit.numberCharacters, "a number is too long")
            return 0
        case .array(let elements): return elements.reduce(0) { max($0, 1 + $1.depth(counting: &values)) }
        case .object(let members): return members.values.reduce(0) { max($0, 1 + $1.depth(counting: &values)) }
        }
    }
}

func takesAccess(_ bytes: [UInt8]) -> Bool {
    var taken = false
    let actions = LoginActions(for: .virtualMachine)
    if let answer = try? AccessCheckAnswer(parsing: bytes, actions: actions) {
        // Only the word "allowed" itself, spelt out or escaped, gives a yes.
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        let isYes = answer.mayLogin || answer.mayLoginAsAdministrator
        promise(!isYes || text.contains("allowed") || text.contains("\\u"), "a yes without the word")
        promise((answer.lifetimeInMilliseconds ?? 0) >= 0, "an answer that ended before it came")
        taken = true
    }
    guard let resource = ResourceID("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"),
        let person = ObjectID("55555555-5555-4555-8555-555555555555")
    else { fatalError("a fixed id is none") }
    if let page = try? RoleAssignment.page(parsing: bytes) {
        promise(!page.elements.contains { $0.isConditional && $0.reaches(resource) }, "a condition was ignored")
        taken = true
    }
    if let page = try? DenyAssignment.page(parsing: bytes) {
        for denial in page.elements { _ = denial.takes(actions.user, on: resource, from: person) }
        taken = true
    }
    if let role = try? RoleDefinition(parsing: bytes) {
        _ = role.gives(actions.user)
        taken = true
    }
    if let account = try? GraphAccount(parsing: bytes, of: person) {
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        promise(text.contains("\(person)") || text.contains("\\u"), "an answer about somebody else")
        promise(!account.isEnabled || text.contains("true"), "an enabled account without the word")
        taken = true
    }
    let group = person
    if let question = MembershipQuestion(objectID: person, groups: [group]),
        let found = try? question.memberships(parsing: bytes)
    {
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        promise(
            found.isEmpty || found == [group] && (text.contains("\(group)") || text.contains("\\u")),
            "a group of nobody's question"
        )
        taken = true
    }
    let refusal = ServiceRefusal(parsing: bytes).text
    promise(refusal.isQuoted(limit: 450), "text is not quoted")
    return taken || !refusal.isEmpty
}

func takesMetadata(_ bytes: [UInt8]) -> Bool {
    var taken = false
    if let token = try? ManagedIdentityToken(parsing: bytes) {
        promise((60...86_400).contains(token.lifetime(at: UnixTime(seconds: 1_800_000_000))))
        let text = token.token.reveal()
        promise(text.isQuoted(limit: AccessToken.maximumLength) && !text.contains(" "), "it does not fit a header")
        promise("\(token.token)\(String(reflecting: token.token))" == "(token)(token)", "a secret is shown (P12)")
        _ = token.token.claims
        taken = true
    }
    if let challenge = try? HybridChallenge(parsing: String(decoding: bytes, as: UTF8.self)) {
        let name = challenge.fileName
        promise(name.hasSuffix(".key") && !name.utf8.contains(UInt8(ascii: "/")), "it leaves its folder")
        promise(!name.utf8.starts(with: ".".utf8) && name.isQuoted(limit: 128), "no key file is called so")
        taken = true
    }
    if let machine = try? InstanceMetadata(parsing: bytes) {
        promise(machine.name.isQuoted(limit: 128) && machine.cloud.isQuoted(limit: 128), "text is not plain")
        taken = true
    }
    if (try? MachineTenant(parsing: bytes)) != nil { taken = true }
    let refusal = MetadataRefusal(parsing: bytes).text
    promise(refusal.isQuoted(limit: 450), "text is not quoted")
    return taken || !refusal.isEmpty
}

/// The form tells the inputs apart: an ID token does not begin with a brace.
func takesToken(_ bytes: [UInt8]) -> Bool {
    if let code = try? DeviceAuthorization(parsing: bytes) {
        promise(code.userCode.isQuoted(limit: DeviceAuthorization.Limit.userCode), "no code that a person could type")
        promise(code.address.isQuoted(limit: 200) && code.address.hasPrefix("https://"), "no address to open")
        promise((1...3600).contains(code.lifetime) && (1...60).contains(code.interval), "times beyond their limits")
        promise("\(code)\(String(reflecting: code))" == "(device code)(device code)", "a secret is shown (P12)")
        return true
    }
    for isSuccess in [true, false] {
        guard let answer = try? DeviceTokenAnswer(parsing: bytes, isSuccess: isSuccess) else { continue }
        if case .refused(let text) = answer { promise(text.isQuoted(limit: 450), "text is not quoted") }
        return true
    }
    guard let token = try? IdentityToken(parsing: String(decoding: bytes, as: UTF8.self)) else { return false }
    promise(bytes.starts(with: token.signedBytes), "what is signed is not what came (P4)")
    promise(bytes.count(where: { $0 == UInt8(ascii: ".") }) == 2, "more or fewer than three parts")
    promise(bytes.count <= IdentityToken.Limit.characters && !token.signature.isEmpty, "a limit was passed over")
    return believes(token)
}

/// Whether the token proves an identity if every signature counts as valid. If so, what the rules require must hold; if
/// no signature counts as valid, the token must prove none.
private func believes(_ token: IdentityToken) -> Bool {
    let tenant = "11111111-1111-4111-8111-111111111111"
    let document =
        "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"k1\",\"n\":\"\(strongModulus)\",\"e\":\"AQAB\"}]}"
    guard let keys = try? SigningKeys(parsing: Array(document.utf8)), let tenantID = TenantID(tenant),
        let clientID = GUID("c11e0000-0000-4000-8000-0000000000dc")
    else { fatalError("a fixed key is none") }
    let expected = IdentityTokenExpectations(
        issuer: "https://login.microsoftonline.com/\(tenant)/v2.0",
        clientID: clientID,
        tenant: tenantID,
        now: UnixTime(seconds: 1_800_000_000),
        skew: 60
    )
    promise(
        (try? token.verified(by: keys, against: expected) { _, _, _ in false }) == nil,
        "an unsigned token is believed"
    )
    guard let proven = try? token.verified(by: keys, against: expected, isSigned: { _, _, _ in true }) else {
        return false
    }
    promise(token.keyID == "k1" && proven.identity.tenant == tenantID, "another tenant's, or another key's")
    promise((1...IdentityToken.Limit.name).contains(proven.name.utf8.count), "a name beyond its limits")
    return true
}

/// 2,048 bits, odd.
private let strongModulus = Base64.encode([UInt8](repeating: 0xff, count: 256), .url)

func takesKeys(_ bytes: [UInt8]) -> Bool {
    var taken = false
    if let set = try? SigningKeys(parsing: bytes) {
        promise(set.keys.count + set.refusedCount <= SigningKeys.Limit.keys, "too many keys")
        for key in set.keys { promise(key.isStrong, "a weak key") }
        taken = true
    }
    if let keys = try? MetadataKeys(parsing: bytes) {
        switch keys {
        case .lines(let lines): promise(!lines.isEmpty && lines.count <= SigningKeys.Limit.keys, "too many keys")
        case .webKeys(let set): promise(set.keys.allSatisfy(\.isStrong), "a weak key")
        }
        taken = true
    }
    if let configuration = try? OpenIDConfiguration(parsing: bytes) {
        promise(configuration.roleService?.hasPrefix("https://") ?? true, "a role service without TLS")
        promise(configuration.roleService?.isQuoted(limit: 270) ?? true, "a host that is none")
        promise(configuration.cloudInstance?.isQuoted(limit: 253) ?? true, "a host that is none")
        taken = true
    }
    return taken
}

extension SigningKey {
    fileprivate var isStrong: Bool {
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 8)
        return SigningKeys.Limit.modulusBits.contains(bits) && exponent == [1, 0, 1]
    }
}

func takesX509(_ bytes: [UInt8]) -> Bool {
    guard let key = try? CertificateKey(certificate: bytes).key else { return false }
    promise(key.modulus.first != 0 && key.exponent.first != 0, "a padded number")
    promise((try? CertificateKey(certificate: bytes.dropLast())) == nil, "a truncated certificate was read")
    promise((try? CertificateKey(certificate: bytes + [0])) == nil, "a trailing byte was read")
    return true
}
