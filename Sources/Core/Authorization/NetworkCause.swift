// SPDX-License-Identifier: Apache-2.0

/// What stands between this machine and a host, as far as a fault's particulars tell. The words are those of the HTTP
/// transport (`HTTPError.Kind`); a test holds the two against each other.
package enum NetworkCause: String, Sendable, CaseIterable {
    case nameResolution = "name resolution failed"
    case proxy = "proxy failed"
    case tls = "TLS failed"
    case silence = "timed out"
    case closed = "unreachable"
    case noLibcurl = "library missing"

    /// Nil where the particulars name none. A reason code may stand before them (`jwks: unreachable: HOST: TLS failed`), so
    /// any other word counts before `unreachable`.
    package init?(in detail: String) {
        let words = detail.split(separator: ": ").map { String($0.prefix { $0 != ";" }) }
        let causes = words.compactMap(NetworkCause.init(rawValue:))
        guard let cause = causes.first(where: { $0 != .closed }) ?? causes.first else { return nil }
        self = cause
    }

    /// What the machine's administrator does about it.
    package var remedy: String {
        switch self {
        case .nameResolution:
            "DNS: resolvectl query HOST (or getent hosts HOST) on this machine; look at /etc/resolv.conf and at the"
                + " network's DNS servers, or name a proxy: Proxy= in [Azure]"
        case .proxy:
            "the proxy: see Proxy= and NoProxy= in [Azure] (entraloginctl config), or the service's environment"
        case .tls:
            "TLS: the system's certificate authorities (package ca-certificates) and the clock; where a proxy opens the"
                + " traffic, its authority: CAFile= in [Azure]"
        case .silence, .closed:
            "firewall, network security group or routes: HTTPS (port 443) to that host has to get out; or a proxy: Proxy="
                + " in [Azure]"
        case .noLibcurl: "install libcurl (libcurl4 on Debian and Ubuntu, libcurl on others)"
        }
    }
}
