// SPDX-License-Identifier: Apache-2.0

internal import CCurl

/// One transfer on the curl thread: the easy handle, and what was received. Never leaves that thread.
final class CurlTransfer {
    /// Limits of a header block; Azure's are under 4 KiB.
    private static let maximumHeaders = 100
    private static let maximumHeaderBytes = 32_768

    let number: UInt64
    let easy: OpaquePointer
    private let curl: CurlLibrary
    private let maximumBody: Int
    private var list: OpaquePointer?
    private let errorText: UnsafeMutablePointer<CChar>
    private var headers: [HTTPHeader] = []
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var isTooLarge = false
    /// A status line has come.
    private var hasBegun = false

    /// `easy`, fresh or reset, stays the caller's, who must reset or free it while this object lives: until then it
    /// holds pointers into this object.
    init(number: UInt64, easy: OpaquePointer, library: CurlLibrary, maximumBody: Int) {
        self.number = number
        self.easy = easy
        self.curl = library
        self.maximumBody = maximumBody
        errorText = .allocate(capacity: Int(CCURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CCURL_ERROR_SIZE))
    }

    func prepare(_ request: HTTPRequest, _ options: CurlOptions) throws(HTTPError) {
        try setLimits(request)
        try setSecurity(options)
        try setProxy(request.proxy)
        try setContent(request, userAgent: options.userAgent)
        try setSinks()
    }

    deinit {
        ccurl_list_free(curl.pointer, list)
        errorText.deallocate()
    }

    /// The outcome, given libcurl's code.
    func result(_ code: Int32) -> Result<HTTPResponse, HTTPError> {
        if isTooLarge { return .failure(HTTPError(.tooLarge, "more than \(maximumBody) bytes, or too many headers")) }
        guard code == CCURL_OK else {
            let text = errorText.pointee == 0 ? curl.errorText(code) : String(cString: errorText)
            // libcurl has no code for a proxy that refuses the tunnel (RFC 9110, 9.3.6): only its text shows that.
            let isTunnel = code == CCURL_RECV_ERROR && text.contains("CONNECT")
            var kind = isTunnel ? .proxy : HTTPError.Kind(curl: code)
            if kind == .cut, !hasBegun { kind = .dropped }
            let systemError = kind == .unreachable ? Int32(truncatingIfNeeded: ccurl_os_error(curl.pointer, easy)) : 0
            return .failure(HTTPError(kind, text, systemError: systemError))
        }
        let status = ccurl_response_code(curl.pointer, easy)
        guard (200..<600).contains(status) else {
            return .failure(HTTPError(.malformed, "status \(status)"))
        }
        return .success(HTTPResponse(status: status, headers: headers, body: body))
    }

    // MARK: Options

    private func setLimits(_ request: HTTPRequest) throws(HTTPError) {
        try set(CCURL_TIMEOUT_MS, request.timeout.wholeMilliseconds)
        try set(CCURL_CONNECTTIMEOUT_MS, min(request.connectTimeout, request.timeout).wholeMilliseconds)
        try set(CCURL_NOSIGNAL, 1)
        try set(CCURL_FOLLOWLOCATION, 0)
        // Answers are a few kilobytes; libcurl's own default is 16 KiB.
        try set(CCURL_BUFFERSIZE, 8192)
        // With HTTP/1.1 a connection carries one transfer: ending it disturbs no other.
        try set(CCURL_HTTP_VERSION, Int(CCURL_HTTP_VERSION_1_1))
        // Without it (before 7.87) a cancelled transfer waits for the resolver's thread.
        try set(CCURL_QUICK_EXIT, 1, ignoringUnknown: true)
    }

    private func setSecurity(_ options: CurlOptions) throws(HTTPError) {
        let code = ccurl_set_text(curl.pointer, easy, CCURL_PROTOCOLS_STR, "http,https")
        if code == CCURL_UNKNOWN_OPTION {
            // Before 7.85.
            try set(CCURL_PROTOCOLS, Int(CCURL_PROTOCOLS_HTTP_AND_HTTPS))
        } else {
            try check(code)
        }
        try set(CCURL_SSL_VERIFYPEER, 1)
        try set(CCURL_SSL_VERIFYHOST, 2)
        try set(CCURL_SSLVERSION, Int(CCURL_SSLVERSION_TLSV1_2))
        // The same for an https:// proxy; a libcurl without support for such proxies does not know the option.
        try set(CCURL_PROXY_SSLVERSION, Int(CCURL_SSLVERSION_TLSV1_2), ignoringUnknown: true)
        if let path = options.certificateAuthorities {
            try set(CCURL_CAINFO, path)
            let code = ccurl_set_text(curl.pointer, easy, CCURL_PROXY_CAINFO, path)
            if code != CCURL_UNKNOWN_OPTION && code != CCURL_NOT_BUILT_IN { try check(code) }
        }
    }

    private func setProxy(_ proxy: HTTPProxy) throws(HTTPError) {
        try set(CCURL_SUPPRESS_CONNECT_HEADERS, 1)
        switch proxy {
        case .none:
            // The empty string, unlike no value at all, also overrides the environment.
            try set(CCURL_PROXY, "")
            try set(CCURL_NOPROXY, "*")
        case .environment: break
        case .configured(let url, let exceptions):
            try set(CCURL_PROXY, url.reveal())
            try set(CCURL_NOPROXY, exceptions)
        }
    }

    private func setContent(_ request: HTTPRequest, userAgent: String) throws(HTTPError) {
        try set(CCURL_URL, request.url)
        try set(CCURL_USERAGENT, userAgent)
        for header in request.headers { try append("\(header.name): \(header.value)") }
        if let authorization = request.authorization { try append("Authorization: \(authorization.reveal())") }
        if request.method == .post {
            // No pause before the body: the requests are a few hundred bytes.
            try append("Expect:")
            try check(
                request.body.withUnsafeBytes { bytes in
                    ccurl_set_body(curl.pointer, easy, bytes.baseAddress ?? UnsafeRawPointer(errorText), bytes.count)
                }
            )
        }
        try check(ccurl_set_list(curl.pointer, easy, CCURL_HTTPHEADER, list))
    }

    private func setSinks() throws(HTTPError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(ccurl_set_pointer(curl.pointer, easy, CCURL_ERRORBUFFER, errorText))
        try check(ccurl_set_pointer(curl.pointer, easy, CCURL_WRITEDATA, context))
        try check(ccurl_set_pointer(curl.pointer, easy, CCURL_HEADERDATA, context))
        try check(ccurl_set_sink(curl.pointer, easy, CCURL_WRITEFUNCTION, receiveBody))
        try check(ccurl_set_sink(curl.pointer, easy, CCURL_HEADERFUNCTION, receiveHeader))
    }

    private func append(_ line: String) throws(HTTPError) {
        guard let longer = ccurl_list_append(curl.pointer, list, line) else {
            throw HTTPError(.resources, "out of memory")
        }
        list = longer
    }

    private func set(_ option: Int32, _ value: Int, ignoringUnknown: Bool = false) throws(HTTPError) {
        let code = ccurl_set_number(curl.pointer, easy, option, value)
        if code == CCURL_UNKNOWN_OPTION, ignoringUnknown { return }
        try check(code)
    }

    private func set(_ option: Int32, _ value: String) throws(HTTPError) {
        try check(ccurl_set_text(curl.pointer, easy, option, value))
    }

    private func check(_ code: Int32) throws(HTTPError) {
        guard code == CCURL_OK else { throw HTTPError(HTTPError.Kind(curl: code), curl.errorText(code)) }
    }

    // MARK: Receiving. False ends the transfer.

    fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= maximumBody - body.count else {
            isTooLarge = true
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    fileprivate func receive(header bytes: UnsafeRawBufferPointer) -> Bool {
        let line = String(decoding: bytes, as: UTF8.self)
        // A status line begins a block; an interim answer (RFC 9110, 15.2) has one of its own.
        if line.hasPrefix("HTTP/") {
            headers = []
            hasBegun = true
            return true
        }
        headerBytes += bytes.count
        guard headers.count < CurlTransfer.maximumHeaders, headerBytes <= CurlTransfer.maximumHeaderBytes else {
            isTooLarge = true
            return false
        }
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return true }
        headers.append(HTTPHeader(String(line[..<colon]), line[line.utf8.index(after: colon)...].withoutOuterBlanks))
        return true
    }
}

/// Both run on the curl thread, inside `ccurl_multi_perform`, for as long as the transfer lives.
private func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ one: UInt,
    _ count: UInt,
    _ context: UnsafeMutableRawPointer?
) -> UInt {
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.receive(body: UnsafeRawBufferPointer(start: bytes, count: Int(one * count))) ? one * count : 0
}

private func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ one: UInt,
    _ count: UInt,
    _ context: UnsafeMutableRawPointer?
) -> UInt {
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.receive(header: UnsafeRawBufferPointer(start: bytes, count: Int(one * count))) ? one * count : 0
}

extension HTTPError.Kind {
    /// The meaning of a CURLcode (libcurl-errors(3)).
    init(curl code: Int32) {
        switch code {
        case CCURL_UNSUPPORTED_PROTOCOL, CCURL_WEIRD_SERVER_REPLY, CCURL_BAD_CONTENT_ENCODING: self = .malformed
        case CCURL_URL_MALFORMAT, CCURL_BAD_FUNCTION_ARGUMENT: self = .invalidRequest
        case CCURL_NOT_BUILT_IN, CCURL_UNKNOWN_OPTION: self = .curlMissing
        case CCURL_COULDNT_RESOLVE_PROXY, 97: self = .proxy
        case CCURL_COULDNT_RESOLVE_HOST: self = .nameResolution
        case CCURL_COULDNT_CONNECT: self = .unreachable
        case CCURL_OPERATION_TIMEDOUT: self = .timeout
        case CCURL_TOO_LARGE, CCURL_WRITE_ERROR: self = .tooLarge
        case CCURL_PARTIAL_FILE, CCURL_GOT_NOTHING, CCURL_SEND_ERROR, CCURL_RECV_ERROR: self = .cut
        case CCURL_OUT_OF_MEMORY: self = .resources
        // Everything else that can happen with http and https is TLS: 35, 53, 54, 58 to 60, 64, 66, 77, 80, 82, 83, 90,
        // 91, 98.
        default: self = .tls
        }
    }
}

extension Duration {
    /// At least 1: libcurl reads 0 as "no limit".
    fileprivate var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        let capped = min(max(seconds, 0), 86_400)
        return max(1, Int(capped) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}

extension Substring {
    /// Without blanks, tabs and line ends at both ends.
    fileprivate var withoutOuterBlanks: String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character.isNewline }
        let start = drop(while: isBlank)
        let end = start.lastIndex { !isBlank($0) }
        return end.map { String(start[...$0]) } ?? ""
    }
}
