// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What is the same for every request of a transport.
package struct CurlOptions: Hashable, Sendable {
    /// `entralogin/VERSION`.
    package var userAgent: String
    /// A PEM file with the authorities to trust instead of the system's; nil: the system's.
    package var certificateAuthorities: String?

    package init(userAgent: String, certificateAuthorities: String? = nil) {
        self.userAgent = userAgent
        self.certificateAuthorities = certificateAuthorities
    }
}

/// HTTP over libcurl: one thread, one multi handle that keeps connections, TLS sessions and the parsed authorities.
/// A slow host delays nobody else, and cancelling takes effect at once.
package final class CurlTransport: HTTPTransport {
    private let loop: CurlLoop

    /// Opens libcurl and starts the thread; `curlMissing` or `resources` where that fails.
    package nonisolated init(_ options: CurlOptions) throws(HTTPError) {
        loop = try CurlLoop(library: .shared(), options: options)
        try loop.start()
    }

    /// Ends the thread; what is still under way fails as `cancelled`.
    deinit { loop.stop() }

    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        if let refusal = request.refusal { throw refusal }
        let number = loop.register()
        defer { loop.forget(number) }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.submit(number, request, continuation)
            }
        } onCancel: {
            loop.cancel(number)
        }
        return try result.get()
    }
}
