// SPDX-License-Identifier: Apache-2.0

/// Why this machine does not reach a host, as far as the transport knows it.
package enum NetworkCause: Hashable, Sendable, CaseIterable {
    case nameResolution
    case proxy
    case tls
    case silence
    case closed
    case noLibcurl

    static let proxySetting = "Proxy= in [Azure]"

    /// What the machine's administrator does about it.
    package var remedy: String {
        switch self {
        case .nameResolution:
            "DNS: resolvectl query HOST (or getent hosts HOST) on this machine; look at /etc/resolv.conf and at the"
                + " network's DNS servers, or name a proxy: \(NetworkCause.proxySetting)"
        case .proxy:
            "the proxy: see Proxy= and NoProxy= in [Azure] (entraloginctl config), or the service's environment"
        case .tls:
            "TLS: the system's certificate authorities (package ca-certificates) and the clock; where a proxy opens the"
                + " traffic, its authority: CAFile= in [Azure]"
        case .silence, .closed:
            "firewall, network security group or routes: HTTPS (port 443) to that host has to get out; or a"
                + " proxy: \(NetworkCause.proxySetting)"
        case .noLibcurl: "install libcurl (libcurl4 on Debian and Ubuntu, libcurl on others)"
        }
    }
}
