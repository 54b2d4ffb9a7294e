// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// What the tenant's OpenID configuration says about its cloud (azure.md, "Clouds").
package struct OpenIDConfiguration: Hashable, Sendable {
    /// `rbac_url`: the role service, `https://` and a host; nil if it is missing or has another form.
    package let roleService: String?
    /// The host of `jwks_uri` (OpenID Connect Discovery 1.0, 3), as `https://host`; nil if it has a port or another
    /// form.
    package let login: String?
    /// `cloud_instance_name`, for example `microsoftonline.com`.
    package let cloudInstance: String?

    package init(parsing bytes: [UInt8]) throws(MessageError) {
        let document = try JSON(message: bytes)
        // A document without an issuer is not an OpenID configuration (OpenID Connect Discovery 1.0, 3).
        _ = try document.requiredText("issuer")
        roleService = document["rbac_url"]?.text.flatMap(OpenIDConfiguration.origin)
        login = document["jwks_uri"]?.text.flatMap(OpenIDConfiguration.originOfAddress)
        cloudInstance = document["cloud_instance_name"]?.text.flatMap { OpenIDConfiguration.isHost($0) ? $0 : nil }
    }

    /// `https://host` in lower case, without the slash at the end; nil with a path, a port, a user or anything else.
    package static func origin(_ text: some StringProtocol) -> String? {
        let lower = text.lowercased()
        guard lower.hasPrefix("https://") else { return nil }
        var host = lower.dropFirst(8)
        if host.hasSuffix("/") { host.removeLast() }
        return isHost(String(host)) ? "https://\(host)" : nil
    }

    /// The origin of an `https://` address with a path.
    private static func originOfAddress(_ text: String) -> String? {
        guard let scheme = text.firstRange(of: "://") else { return nil }
        return origin(text[..<scheme.upperBound] + text[scheme.upperBound...].prefix { $0 != "/" })
    }

    private static func isHost(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
    }
}
