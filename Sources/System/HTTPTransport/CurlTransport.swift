// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// HTTP over libcurl: one thread, one multi handle that keeps connections, TLS sessions and the parsed authorities. A
/// slow host delays no other transfer, and cancelling takes effect at once.
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
