// SPDX-License-Identifier: Apache-2.0

internal import CCurl

/// The opened libcurl, one for the process. It is never closed, because libraries that it uses do not survive that.
struct CurlLibrary: @unchecked Sendable {
    // Unchecked: the table behind the pointer is written once, before it is shared.
    let pointer: OpaquePointer

    private static let opened: Result<CurlLibrary, HTTPError> = open("libcurl.so.4")

    /// Opens it on first use.
    static func shared() throws(HTTPError) -> CurlLibrary { try opened.get() }

    static func open(_ name: String) -> Result<CurlLibrary, HTTPError> {
        var problem: UnsafePointer<CChar>?
        guard let pointer = ccurl_open(name, &problem) else {
            let text = problem.map { String(cString: $0) } ?? ""
            return .failure(HTTPError(.curlMissing, "libcurl 7.54 or newer is needed: \(text)"))
        }
        return .success(CurlLibrary(pointer: pointer))
    }

    func errorText(_ code: Int32) -> String { String(cString: ccurl_error_text(pointer, code)) }
}
