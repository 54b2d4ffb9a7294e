// SPDX-License-Identifier: Apache-2.0

/// Why there is no answer.
package struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// libcurl is not installed, or too old.
        case curlMissing = "library missing"
        /// The request may not be sent as it is.
        case invalidRequest = "invalid request"
        /// The host's name could not be resolved.
        case nameResolution = "name resolution failed"
        /// No connection could be made: refused, or no route.
        case unreachable
        /// The proxy could not be resolved or refuses.
        case proxy = "proxy failed"
        /// The server's certificate, or the handshake.
        case tls = "TLS failed"
        case timeout = "timed out"
        /// The answer is above a limit.
        case tooLarge = "answer too large"
        /// The answer is not HTTP.
        case malformed = "malformed answer"
        /// The connection ended, or was reset, before a byte of an answer.
        case dropped = "connection dropped"
        /// The connection ended before the answer did.
        case cut = "connection lost"
        /// The calling task was cancelled, or the transport was closed.
        case cancelled
        /// Memory, threads.
        case resources = "no resources"
    }

    package let kind: Kind
    /// libcurl's own words: printable, at most 256 characters.
    package let text: String

    /// The errno of connect(2) where no connection could be made; 0 where it is not known.
    package let systemError: Int32

    package init(_ kind: Kind, _ text: String = "", systemError: Int32 = 0) {
        self.kind = kind
        self.systemError = systemError
        self.text = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(256).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }
            )
        )
    }

    package var description: String { text.isEmpty ? kind.rawValue : "\(kind.rawValue): \(text)" }
}
