// SPDX-License-Identifier: Apache-2.0

/// A header field (RFC 9110, 5).
package struct HTTPHeader: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Which way a request leaves the machine.
package enum HTTPProxy: Hashable, Sendable {
    /// Straight to the host, whatever the environment says: the metadata services.
    case none
    /// As `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` of the process say.
    case environment
    /// Through this proxy (its URL may hold credentials), except for the hosts in `exceptions` (as in `no_proxy`).
    case configured(url: Secret, exceptions: String)
}

/// One HTTP/1.1 request. Redirects are never followed.
package struct HTTPRequest: Hashable, Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// The default limit of an answer's body, in bytes.
    package static let defaultMaximumBody = 1 << 20

    package var method: Method
    /// `http://` or `https://`, at most 8,192 bytes of printable ASCII.
    package var url: String
    package var headers: [HTTPHeader]
    /// The value of the Authorization header.
    package var authorization: Secret?
    /// Sent with POST only.
    package var body: [UInt8]
    /// From now to the last byte of the answer.
    package var timeout: Duration
    /// The part of `timeout` after which a host that cannot be connected to is given up.
    package var connectTimeout: Duration
    package var proxy: HTTPProxy
    /// An answer with a larger body is an error.
    package var maximumBody: Int

    package init(
        _ method: Method,
        _ url: String,
        headers: [HTTPHeader] = [],
        authorization: Secret? = nil,
        body: [UInt8] = [],
        timeout: Duration,
        connectTimeout: Duration = .seconds(5),
        proxy: HTTPProxy = .none,
        maximumBody: Int = HTTPRequest.defaultMaximumBody
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.authorization = authorization
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.proxy = proxy
        self.maximumBody = maximumBody
    }

    /// Why it may not be sent: a line end in a header would let text from outside add headers of its own.
    var refusal: HTTPError? {
        func refuse(_ text: String) -> HTTPError { HTTPError(.invalidRequest, text) }
        let scheme = url.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https" else { return refuse("the URL is not http or https") }
        guard url.utf8.count <= 8192, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            return refuse("the URL is too long or holds other characters than printable ASCII")
        }
        let values = headers.flatMap { [$0.name, $0.value] } + [authorization?.reveal() ?? ""]
        guard values.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }) else {
            return refuse("a header holds a control character")
        }
        guard timeout > .zero else { return HTTPError(.timeout, "no time was left to send the request") }
        return nil
    }
}
