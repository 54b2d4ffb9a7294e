// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HTTPTransport

@Suite(.timeLimit(.minutes(15)))
struct CurlTransportTests {
    private let transport: CurlTransport

    init() throws { transport = try CurlTransport(CurlOptions(userAgent: "entralogin/test")) }

    private func failure(_ request: HTTPRequest) async -> HTTPError.Kind? {
        do throws(HTTPError) {
            _ = try await transport.send(request)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test("status, headers and body arrive; our headers, method and agent are sent")
    func exchange() async throws {
        let server = LoopbackServer { _ in LoopbackServer.page("404 Not Found", ["X-One:  a b "], body: "{}") }
        var request = HTTPRequest(.post, server.url("/path?a=b"), timeout: .seconds(60))
        request.headers = [HTTPHeader("Content-Type", "application/json")]
        request.authorization = Secret("Bearer abc")
        request.body = Array("body\0end".utf8)
        let response = try await transport.send(request)
        #expect(response.status == 404)
        #expect(response.header("x-one") == "a b")
        #expect(response.body == Array("{}".utf8))
        let sent = try #require(server.requests.first)
        #expect(sent.hasPrefix("POST /path?a=b HTTP/1.1\r\n"))
        #expect(sent.contains("\r\nAuthorization: Bearer abc\r\n"))
        #expect(sent.contains("\r\nUser-Agent: entralogin/test\r\n"))
        #expect(sent.contains("\r\nContent-Type: application/json\r\n"))
        #expect(sent.hasSuffix("\r\n\r\nbody\0end"))
    }

    @Test("an empty body is posted as an empty body")
    func emptyPost() async throws {
        let server = LoopbackServer { _ in LoopbackServer.page("200 OK") }
        _ = try await transport.send(HTTPRequest(.post, server.url("/"), timeout: .seconds(60)))
        #expect(server.requests.first?.contains("Content-Length: 0\r\n") == true)
    }

    @Test("a redirect is an answer, never followed")
    func redirect() async throws {
        let target = LoopbackServer { _ in LoopbackServer.page("200 OK") }
        let location = "Location: \(target.url("/"))"
        let server = LoopbackServer { _ in LoopbackServer.page("302 Found", [location]) }
        let response = try await transport.send(HTTPRequest(.get, server.url("/"), timeout: .seconds(60)))
        #expect(response.status == 302)
        #expect(target.requests.isEmpty)
    }

    @Test("a body at the limit is taken, one byte more is an error")
    func sizeLimit() async throws {
        let server = LoopbackServer { request in
            let size = request.hasPrefix("GET /more") ? 1001 : 1000
            return LoopbackServer.page("200 OK", body: String(repeating: "x", count: size))
        }
        var request = HTTPRequest(.get, server.url("/"), timeout: .seconds(60), maximumBody: 1000)
        #expect(try await transport.send(request).body.count == 1000)
        request.url = server.url("/more")
        #expect(await failure(request) == .tooLarge)
    }

    @Test("headers without end are an error")
    func headerLimit() async throws {
        let server = LoopbackServer { _ in
            LoopbackServer.page("200 OK", (0..<200).map { "X-\($0): y" })
        }
        #expect(await failure(HTTPRequest(.get, server.url("/"), timeout: .seconds(60))) == .tooLarge)
    }

    @Test("a silent host runs into the time-out, and delays nobody else")
    func slowHost() async throws {
        let silent = LoopbackServer { _ in .silence }
        let quick = LoopbackServer { _ in LoopbackServer.page("200 OK", body: "quick") }
        let slow = HTTPRequest(.get, silent.url("/"), timeout: .milliseconds(400))
        let clock = ContinuousClock()
        let start = clock.now
        async let late = failure(slow)
        for _ in 0..<10 {
            #expect(try await transport.send(HTTPRequest(.get, quick.url("/"), timeout: .seconds(60))).status == 200)
        }
        let quickTime = clock.now - start
        #expect(await late == .timeout)
        #expect(clock.now - start >= .milliseconds(390))
        #expect(quickTime < clock.now - start)
    }

    @Test("cancelling the task ends the transfer at once")
    func cancellation() async throws {
        let (requested, signal) = AsyncStream.makeStream(of: Void.self)
        let silent = LoopbackServer { _ in
            signal.yield()
            return .silence
        }
        let request = HTTPRequest(.get, silent.url("/"), timeout: .seconds(50))
        let task = Task { [transport] in
            do throws(HTTPError) {
                _ = try await transport.send(request)
                return HTTPError.Kind?.none
            } catch {
                return error.kind
            }
        }
        for await _ in requested { break }
        task.cancel()
        #expect(await task.value == .cancelled)
        // Cancelled before it began.
        let late = Task { [transport] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try? await transport.send(request)
        }
        #expect(await late.value == nil)
    }

    @Test("half an answer, none, no HTTP, and no listener are told apart")
    func failures() async throws {
        let cut = LoopbackServer { _ in .bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".utf8)) }
        #expect(await failure(HTTPRequest(.get, cut.url("/"), timeout: .seconds(60))) == .cut)
        let dropped = LoopbackServer { _ in .bytes([]) }
        #expect(await failure(HTTPRequest(.get, dropped.url("/"), timeout: .seconds(60))) == .dropped)
        let babble = LoopbackServer { _ in .bytes(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)) }
        #expect(await failure(HTTPRequest(.get, babble.url("/"), timeout: .seconds(60))) == .malformed)
        #expect(await failure(HTTPRequest(.get, "http://127.0.0.1:1/", timeout: .seconds(60))) == .unreachable)
        #expect(HTTPError.Kind(curl: 6) == .nameResolution)
        #expect(HTTPError.Kind(curl: 43) == .invalidRequest)
    }

    @Test("a name that cannot be resolved says so each time, and leaves nothing behind for the next request")
    func afterNoHost() async throws {
        let server = LoopbackServer { _ in LoopbackServer.page("200 OK") }
        // A label too long for DNS: no name server is asked.
        let nowhere = "http://\(String(repeating: "a", count: 70)).invalid/"
        for url in [nowhere, nowhere, "http://127.0.0.1:1/", nowhere] {
            let expected = url == nowhere ? HTTPError.Kind.nameResolution : .unreachable
            #expect(await failure(HTTPRequest(.get, url, timeout: .seconds(60))) == expected)
            #expect(await failure(HTTPRequest(.get, server.url("/"), timeout: .seconds(60))) == nil)
        }
    }

    @Test("a host that does not speak TLS is a TLS failure")
    func noTLS() async throws {
        let server = LoopbackServer { _ in LoopbackServer.page("200 OK") }
        #expect(await failure(HTTPRequest(.get, server.url("/", scheme: "https"), timeout: .seconds(60))) == .tls)
    }

    @Test("a proxy is used where one is given, but not for its exceptions, and never where none is wanted")
    func proxies() async throws {
        let proxy = LoopbackServer { _ in LoopbackServer.page("200 OK", body: "proxy") }
        let server = LoopbackServer { _ in LoopbackServer.page("200 OK", body: "server") }
        func body(_ proxy: HTTPProxy) async throws -> String {
            let request = HTTPRequest(.get, server.url("/"), timeout: .seconds(60), proxy: proxy)
            return String(decoding: try await transport.send(request).body, as: UTF8.self)
        }
        let url = Secret("http://user:word@127.0.0.1:\(proxy.port)")
        #expect(try await body(.configured(url: url, exceptions: "")) == "proxy")
        #expect(proxy.requests.first?.contains("Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n") == true)
        #expect(try await body(.configured(url: url, exceptions: "127.0.0.1")) == "server")
        #expect(try await body(.none) == "server")
    }

    @Test("a proxy that refuses the tunnel is a failure of the proxy, not of the host")
    func refusingProxy() async {
        let proxy = LoopbackServer { _ in LoopbackServer.page("407 Proxy Authentication Required") }
        let url = Secret("http://127.0.0.1:\(proxy.port)")
        let request = HTTPRequest(
            .get,
            "https://management.example/",
            timeout: .seconds(60),
            proxy: .configured(url: url, exceptions: "")
        )
        #expect(await failure(request) == .proxy)
        #expect(proxy.requests.first?.hasPrefix("CONNECT management.example:443 ") == true)
    }

    @Test(
        "what is no plain http request is refused before it is sent",
        arguments: ["file:///etc/passwd", "ftp://127.0.0.1/", "http://a b/", "127.0.0.1", "http://127.0.0.1/\r\nX: y"]
    )
    func refusedURLs(url: String) async {
        #expect(await failure(HTTPRequest(.get, url, timeout: .seconds(1))) == .invalidRequest)
    }

    @Test("a line end in a header is refused")
    func headerInjection() async {
        var request = HTTPRequest(.get, "http://127.0.0.1:1/", timeout: .seconds(1))
        request.headers = [HTTPHeader("A", "b\r\nC: d")]
        #expect(await failure(request) == .invalidRequest)
    }

    @Test("many at once are all answered")
    func many() async throws {
        let server = LoopbackServer { request in
            LoopbackServer.page("200 OK", body: String(request.split(separator: " ")[1]))
        }
        let bodies = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<60 {
                group.addTask { [transport] in
                    let request = HTTPRequest(.get, server.url("/\(number)"), timeout: .seconds(60))
                    return String(decoding: try await transport.send(request).body, as: UTF8.self)
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(bodies.count == 60)
    }

    @Test("a missing library is an error that names it")
    func missingLibrary() {
        guard case .failure(let error) = CurlLibrary.open("libcurl-that-is-not-there.so.4") else {
            Issue.record("it was opened")
            return
        }
        #expect(error.kind == .curlMissing)
        #expect(error.text.contains("libcurl-that-is-not-there.so.4"))
    }
}
