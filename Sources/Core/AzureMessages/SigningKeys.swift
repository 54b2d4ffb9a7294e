// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// The cloud and tenant whose keys are wanted. A recorded set of the public cloud's `common` endpoint also carries the
/// US Government's keys, under their own `cloud_instance_name`, and keys of single tenants, named by their `issuer`
/// (seen; azure.md, "CA keys").
package struct SigningKeyScope: Hashable, Sendable {
    /// `cloud_instance_name` of the machine's cloud; nil: a key of any cloud.
    package let cloudInstance: String?
    /// The machine's tenant; nil: a key of any tenant.
    package let tenant: TenantID?

    package init(cloudInstance: String?, tenant: TenantID?) {
        self.cloudInstance = cloudInstance
        self.tenant = tenant
    }

    /// A key that names no cloud or tenant is valid for all of them.
    func holds(_ entry: JSON) -> Bool {
        if let cloudInstance, let named = entry["cloud_instance_name"] {
            guard named.text?.lowercased() == cloudInstance.lowercased() else { return false }
        }
        guard let tenant, let issuer = entry["issuer"] else { return true }
        // https://HOST/TENANT/v2.0, where most keys have the words "{tenantid}".
        guard let parts = issuer.text?.split(separator: "/"), parts.count > 2 else { return false }
        return GUID(String(parts[2])).map { $0 == tenant.guid } ?? true
    }
}

/// A JSON Web Key Set (RFC 7517), as far as it can hold the keys that sign SSH certificates (azure.md, "CA keys").
package struct SigningKeys: Hashable, Sendable {
    package enum Limit {
        /// Keys in one set; Entra publishes about ten.
        package static let keys = 64
        package static let modulusBits = 2048...8192
        /// Characters of a certificate in `x5c`.
        package static let certificateCharacters = 16_384
    }

    /// 65537.
    private static let exponent: [UInt8] = [1, 0, 1]

    /// The keys within the scope, without duplicates, in the order received. May be empty.
    package let keys: [SigningKey]
    /// The same keys by `kid`, if it has 1 to 256 characters. A `kid` that two different keys claim is left out.
    package let named: [String: SigningKey]
    /// How many entries were skipped: of another kind, scope or size, or at odds with their certificate.
    package let refusedCount: Int

    package init(parsing bytes: [UInt8], in scope: SigningKeyScope? = nil) throws(MessageError) {
        try self.init(try JSON(message: bytes), in: scope)
    }

    init(_ document: JSON, in scope: SigningKeyScope? = nil) throws(MessageError) {
        guard let entries = document["keys"]?.elements else { throw .missing("keys") }
        try self.init(entries: entries, in: scope)
    }

    init(entries: [JSON], in scope: SigningKeyScope? = nil) throws(MessageError) {
        guard entries.count <= Limit.keys else { throw MessageError("more than \(Limit.keys) keys") }
        var keys: [SigningKey] = []
        var named: [String: SigningKey] = [:]
        var disputed: Set<String> = []
        var refused = 0
        for entry in entries {
            guard scope?.holds(entry) ?? true, let key = SigningKeys.key(entry) else {
                refused += 1
                continue
            }
            if !keys.contains(key) { keys.append(key) }
            guard let name = entry["kid"]?.text, (1...256).contains(name.utf8.count) else { continue }
            if let other = named[name], other != key { disputed.insert(name) }
            named[name] = key
        }
        self.keys = keys
        self.named = named.filter { !disputed.contains($0.key) }
        refusedCount = refused
    }

    /// Nil for a key that must not be trusted.
    private static func key(_ entry: JSON) -> SigningKey? {
        guard entry["kty"]?.text == "RSA", entry["use"]?.text == "sig" else { return nil }
        guard let modulus = magnitude(entry["n"]), magnitude(entry["e"]) == exponent else { return nil }
        guard let highest = modulus.first, let lowest = modulus.last, lowest & 1 == 1 else { return nil }
        let bits = modulus.count * 8 - highest.leadingZeroBitCount
        guard Limit.modulusBits.contains(bits) else { return nil }
        let key = SigningKey(modulus: modulus, exponent: exponent)
        guard let chain = entry["x5c"] else { return key }
        // RFC 7517, 4.7: the first certificate holds the same key.
        guard let text = chain.elements?.first?.text, text.utf8.count <= Limit.certificateCharacters else { return nil }
        guard let certificate = try? Base64.decode(text) else { return nil }
        return (try? CertificateKey(certificate: certificate).key) == key ? key : nil
    }

    /// Base64urlUInt (RFC 7518, 2). Drops leading zeros, which are not allowed but occur.
    private static func magnitude(_ value: JSON?) -> [UInt8]? {
        guard let text = value?.text, text.utf8.count <= 4096 else { return nil }
        guard let bytes = try? Base64.decode(text, .url) else { return nil }
        return Array(bytes.drop { $0 == 0 })
    }
}

/// The answer of `login/ca_keys`, whose form is not public (azure.md, "Instance metadata"): a JSON Web Key Set, lines
/// in OpenSSH's form, or a JSON array of either. Anything else is refused whole.
package enum MetadataKeys: Hashable, Sendable {
    case webKeys(SigningKeys)
    /// `ssh-rsa AAAA...`, not parsed yet.
    case lines([String])

    package init(parsing bytes: [UInt8]) throws(MessageError) {
        if let document = try? JSON(parsing: bytes) {
            try self.init(document)
            return
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw MessageError("not UTF-8") }
        self = .lines(try MetadataKeys.keyLines(text))
    }

    private init(_ document: JSON) throws(MessageError) {
        guard let elements = document.elements else {
            self = .webKeys(try SigningKeys(document))
            return
        }
        let texts = elements.compactMap(\.text)
        if texts.isEmpty {
            self = .webKeys(try SigningKeys(entries: elements.flatMap { $0["keys"]?.elements ?? [$0] }))
        } else {
            guard texts.count == elements.count else { throw MessageError("keys of two kinds in one array") }
            self = .lines(try MetadataKeys.keyLines(texts.joined(separator: "\n")))
        }
    }

    /// The lines of a keys file without empty ones and comments.
    package static func keyLines(_ text: String) throws(MessageError) -> [String] {
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        let keys = lines.filter { line in
            let start = line.drop { $0 == " " || $0 == "\t" }
            return !start.isEmpty && !start.hasPrefix("#")
        }
        guard keys.count <= SigningKeys.Limit.keys else {
            throw MessageError("more than \(SigningKeys.Limit.keys) keys")
        }
        guard !keys.isEmpty else { throw MessageError("no key") }
        return keys
    }
}

/// How long an answer may be kept (RFC 9111, 5.2.2): `max-age` in seconds, at most a day; nil without `max-age`.
package func cacheLifetime(_ cacheControl: String?) -> Int64? {
    for directive in (cacheControl ?? "").lowercased().split(separator: ",") {
        let word = directive.drop { $0 == " " }
        guard word.hasPrefix("max-age=") else { continue }
        let digits = word.dropFirst(8).prefix { $0 != " " }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return min(Int64(digits) ?? 86_400, 86_400)
    }
    return nil
}
