// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import ByteCoding
import Glibc
import HTTPTransport
import Identity

/// The simulator of Azure as a child process on free loopback ports, and the daemon's services directed to it, with the
/// real transport and the real clock.
final class SimulatedAzure: Sendable {
    private struct Clock: TimeSource {
        func wallTime() -> UnixTime { UnixTime(seconds: Int64(Glibc.time(nil))) }

        func bootTime() -> BootTime {
            var now = timespec()
            clock_gettime(CLOCK_BOOTTIME, &now)
            return BootTime(sinceBoot: .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec))
        }

        func sleep(until time: BootTime) async { try? await Task.sleep(for: bootTime().duration(to: time)) }
    }

    static let support = "\(#filePath)".replacing("AzureServicesTests/SimulatedAzure.swift", with: "Support")
    static let isAvailable = access("/usr/bin/python3", X_OK) == 0 && access("/usr/bin/openssl", X_OK) == 0

    let time: any TimeSource = Clock()
    let environment: AzureEnvironment
    let endpoints: AzureEndpoints
    let state: String
    private let control: String
    private let child: pid_t
    // Used only in init and deinit.
    private nonisolated(unsafe) let pipe: UnsafeMutablePointer<FILE>

    init() throws {
        state = "/tmp/entralogin-azure-\(UInt64.random(in: 0 ... .max))"
        // The shell prints its process id and becomes the simulator, which prints in one line where it listens.
        let command =
            "cd '\(Self.support)' && echo $$ && exec /usr/bin/python3 -m simulator serve --state '\(state)' --anywhere"
        guard let pipe = popen(command, "r"), let line = Self.line(pipe), let child = pid_t(line),
            let listening = Self.line(pipe).flatMap({ try? JSON(parsing: Array($0.utf8)) })
        else { throw HTTPError(.resources, "the simulator does not start") }
        func port(_ name: String) -> Int64 { listening["ports"]?[name]?.integer ?? 0 }
        self.child = child
        self.pipe = pipe
        control = "http://127.0.0.1:\(port("control"))"
        endpoints = AzureEndpoints(
            login: "https://localhost:\(port("entra"))",
            roleService: "https://localhost:\(port("pas"))",
            resourceManager: "https://localhost:\(port("arm"))",
            graph: "https://localhost:\(port("graph"))",
            instanceMetadata: "http://127.0.0.1:\(port("imds"))",
            hybridMetadata: "http://127.0.0.1:\(port("himds"))"
        )
        let authority = listening["authority"]?.text
        environment = AzureEnvironment(
            transport: try CurlTransport(
                CurlOptions(userAgent: "entralogin/test", certificateAuthorities: authority)
            ),
            time: time,
            random: ConstantBytes(byte: 7),
            tasks: TaskStarterOfTests(),
            proxy: .none
        )
    }

    deinit {
        kill(child, SIGTERM)
        pclose(pipe)
        if let sweeper = popen("rm -r '\(state)'", "r") { pclose(sweeper) }
    }

    func deadline(_ seconds: Int) -> BootTime { time.bootTime().advanced(by: .seconds(seconds)) }

    func tell(_ verb: String, _ arguments: [String: JSON] = [:]) async throws {
        let body = JSON.object(arguments).bytes
        let request = HTTPRequest(.post, "\(control)/\(verb)", body: body, timeout: .seconds(60))
        let response = try await environment.transport.send(request)
        guard response.status == 200 else { throw HTTPError(.malformed, "the simulator refuses \(verb)") }
    }

    func fault(_ name: String, _ endpoint: String, value: JSON = .null) async throws {
        try await tell("fault", ["name": .string(name), "endpoint": .string(endpoint), "value": value])
    }

    /// How many requests an endpoint got since the last `forget`.
    func count(_ endpoint: String) async throws -> Int {
        let body = JSON.object(["endpoint": .string(endpoint)]).bytes
        let request = HTTPRequest(.post, "\(control)/requests", body: body, timeout: .seconds(20))
        return try JSON(parsing: try await environment.transport.send(request).body).elements?.count ?? -1
    }

    private static func line(_ pipe: UnsafeMutablePointer<FILE>) -> String? {
        var line = [CChar](repeating: 0, count: 65_536)
        guard fgets(&line, Int32(line.count), pipe) != nil else { return nil }
        return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
