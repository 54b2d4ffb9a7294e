// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// Four layers, visible as four folders: a target depends only on lower layers or on a lower level of its own
// (.ci/layers has the table). One section for each layer, the lowest first. The Makefile links the C modules, which run
// inside other programs' processes, from the same sources: SwiftPM would link the Swift runtime into them.

let package = Package(
    name: "entralogin",
    products: [
        .executable(name: "entralogind", targets: ["entralogind"]),
        .executable(name: "entraloginctl", targets: ["entraloginctl"]),
    ]
)

/// Adds the target `Sources/LAYER/NAME`. With `tests`, also adds its test target, which depends on those targets too.
@MainActor
func module(_ name: String, in layer: String, needs: [Target.Dependency] = [], tests: [Target.Dependency]? = nil) {
    package.targets.append(.target(name: name, dependencies: needs, path: "Sources/\(layer)/\(name)"))
    guard let tests else { return }
    package.targets.append(
        .testTarget(
            name: "\(name)Tests",
            dependencies: [.target(name: name)] + needs + tests,
            path: "Tests/\(name)Tests"
        )
    )
}

// MARK: Core: pure. No descriptor, clock, lock, randomness, environment or Foundation.

module("CWire", in: "Core")
module("CSnapshot", in: "Core", needs: ["CWire"])
module("ByteCoding", in: "Core", tests: [])
module("Identity", in: "Core", needs: ["ByteCoding", "CWire"], tests: [])
module(
    "OpenSSHCertificates",
    in: "Core",
    needs: ["ByteCoding", "Identity"],
    tests: ["CertificateFactory", "Libcrypto", "TestSupport"]
)
module("AzureMessages", in: "Core", needs: ["ByteCoding", "Identity"], tests: [])
module("Settings", in: "Core", needs: ["ByteCoding", "Identity"], tests: [])
module("Authorization", in: "Core", needs: ["ByteCoding", "CWire", "Identity", "OpenSSHCertificates"], tests: [])
module("Wire", in: "Core", needs: ["Authorization", "ByteCoding", "CWire", "Identity"], tests: [])

// MARK: System: one owner for each handle; nothing here knows its caller's purpose.

module("CLinux", in: "System")
// libcurl and libcrypto are opened at run time (dlopen): linked to them, a program starts on one distribution only.
module("CCrypto", in: "System")
module("CCurl", in: "System")
package.targets += [
    .systemLibrary(
        name: "CSystemd",
        path: "Sources/System/CSystemd",
        pkgConfig: "libsystemd",
        providers: [.apt(["libsystemd-dev"])]
    )
]
module("CClient", in: "System", needs: ["CWire"])
module("LinuxSystem", in: "System", needs: ["CLinux"], tests: ["TestSupport"])
module(
    "Libcrypto",
    in: "System",
    needs: ["ByteCoding", "CCrypto", "OpenSSHCertificates"],
    tests: ["CertificateFactory"]
)
module("HTTPTransport", in: "System", needs: ["CCurl"], tests: ["LinuxSystem"])
module("Systemd", in: "System", needs: ["ByteCoding", "CSystemd", "LinuxSystem"], tests: [])

// MARK: Services: state and policy, behind the ports of Authorization.

module("InFlight", in: "Services", needs: ["Authorization", "Identity"])
module(
    "AccountDirectory",
    in: "Services",
    needs: ["Authorization", "ByteCoding", "CSnapshot", "CWire", "Identity", "Libcrypto", "LinuxSystem"],
    tests: ["TestSupport"]
)
module(
    "AccessControl",
    in: "Services",
    needs: ["Authorization", "ByteCoding", "Identity", "InFlight", "Libcrypto", "LinuxSystem", "OpenSSHCertificates"],
    tests: ["CertificateFactory", "TestSupport"]
)
module(
    "AzureServices",
    in: "Services",
    needs: [
        "Authorization", "AzureMessages", "ByteCoding", "HTTPTransport", "Identity", "InFlight", "LinuxSystem",
        "OpenSSHCertificates", "Settings",
    ],
    tests: ["Libcrypto", "TestSupport"]
)
module(
    "Integration",
    in: "Services",
    needs: ["Authorization", "Identity", "LinuxSystem", "OpenSSHCertificates"],
    tests: ["Doctor", "TestSupport", "WiredMachine"]
)
module(
    "Doctor",
    in: "Services",
    needs: ["Authorization", "CClient", "Identity", "Integration", "OpenSSHCertificates"],
    tests: ["TestSupport", "WiredMachine"]
)
module("AccountAudit", in: "Services", needs: ["Identity", "Integration"], tests: ["WiredMachine"])
module(
    "Migration",
    in: "Services",
    needs: ["Identity", "Integration", "LinuxSystem"],
    tests: ["Doctor", "TestSupport", "WiredMachine"]
)
module(
    "Server",
    in: "Services",
    needs: [
        "AccessControl", "AccountDirectory", "Authorization", "AzureServices", "ByteCoding", "CWire", "Identity",
        "Libcrypto", "LinuxSystem", "OpenSSHCertificates", "Wire",
    ],
    tests: ["CertificateFactory", "HTTPTransport", "Integration", "Migration", "Settings", "TestSupport"]
)

// MARK: Programs: composition only.

let daemonNeeds: [Target.Dependency] = [
    "AccessControl", "AccountDirectory", "Authorization", "AzureServices", "ByteCoding", "CClient", "CWire",
    "HTTPTransport", "Identity", "Integration", "Libcrypto", "LinuxSystem", "OpenSSHCertificates", "Server", "Settings",
    "Systemd", "Wire",
]
let toolNeeds: [Target.Dependency] = [
    "AccountAudit", "Authorization", "ByteCoding", "CClient", "CWire", "Doctor", "Identity", "Integration",
    "LinuxSystem", "Migration", "Settings", "Wire",
]
package.targets += [
    .executableTarget(name: "entralogind", dependencies: daemonNeeds, path: "Sources/Programs/entralogind"),
    .executableTarget(name: "entraloginctl", dependencies: toolNeeds, path: "Sources/Programs/entraloginctl"),
    // The C programs as ordinary static targets, so that tests and sanitizers use the same sources.
    .target(
        name: "NSS",
        dependencies: ["CClient", "CSnapshot", "CWire"],
        path: "Sources/Programs/NSS",
        exclude: ["nss.map"]
    ),
    .target(
        name: "PAM",
        dependencies: ["CClient", "CSnapshot", "CWire"],
        path: "Sources/Programs/PAM",
        exclude: ["pam.map"],
        linkerSettings: [.linkedLibrary("pam")]
    ),
    .target(
        name: "Sudo",
        dependencies: ["CClient", "CWire"],
        path: "Sources/Programs/Sudo",
        exclude: ["sudo.map"]
    ),
    .target(
        name: "AuthorizedPrincipals",
        dependencies: ["CClient", "CWire"],
        path: "Sources/Programs/AuthorizedPrincipals",
        exclude: ["main.c"]
    ),
    .target(
        name: "AuditEvents",
        dependencies: ["CClient", "CWire"],
        path: "Sources/Programs/AuditEvents",
        exclude: ["main.c"]
    ),
    .target(
        name: "EndSessions",
        dependencies: ["CClient", "CWire"],
        path: "Sources/Programs/EndSessions",
        exclude: ["main.c"]
    ),
]

// MARK: Development tools and tests of the C programs; never installed.

package.targets += [
    .target(
        name: "CertificateFactory",
        dependencies: ["ByteCoding", "LinuxSystem"],
        path: "Tests/Support/CertificateFactory"
    ),
    .target(name: "TestSupport", path: "Tests/Support/TestSupport"),
    .target(name: "WiredMachine", dependencies: ["Doctor", "Integration"], path: "Tests/Support/WiredMachine"),
    .testTarget(
        name: "ToolTests",
        dependencies: ["TestSupport", "entraloginctl"] + toolNeeds,
        path: "Tests/ToolTests"
    ),
    .testTarget(
        name: "CModuleTests",
        dependencies: [
            "AccountDirectory", "AuditEvents", "Authorization", "AuthorizedPrincipals", "CClient", "CSnapshot", "CWire",
            "EndSessions", "Identity",
            "LinuxSystem", "NSS", "PAM", "Sudo", "TestSupport", "Wire",
        ],
        path: "Tests/CModuleTests"
    ),
]

// A fleet on a virtual clock, with the daemon's own services (Tests/Fleet/run).
package.targets.append(
    .executableTarget(
        name: "fleet",
        dependencies: [
            "AccessControl", "Authorization", "AzureServices", "ByteCoding", "HTTPTransport", "Identity",
            "OpenSSHCertificates", "Settings",
        ],
        path: "Tests/Fleet",
        exclude: ["run"]
    )
)

// The fuzzers' bodies are a library, so that a unit test replays their corpora. The program needs libFuzzer, and a
// --scratch-path of its own (Tests/Fuzzers/run). Together with --sanitize=address, Swift 6.3 counts no coverage and
// finds nothing.
package.targets += [
    .target(
        name: "Fuzzing",
        dependencies: [
            "AccessControl", "AccountAudit", "AccountDirectory", "Authorization", "AzureMessages", "ByteCoding",
            "Identity", "Integration", "Libcrypto", "LinuxSystem", "Migration", "OpenSSHCertificates", "Server",
            "Settings", "Wire",
        ],
        path: "Tests/Fuzzers/Swift"
    ),
    .testTarget(name: "FuzzTests", dependencies: ["Fuzzing", "TestSupport"], path: "Tests/FuzzTests"),
]
if Context.environment["ENTRALOGIN_FUZZ"] != nil {
    package.targets.append(.executableTarget(name: "Fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzzers/Entry"))
}

// MARK: Sanitizers: they run only tests of code in which they can find something. All other tests run without them.

/// AddressSanitizer for what touches memory, ThreadSanitizer for what runs on several threads. Pure code has neither
/// pointers nor threads, and its exhaustive tests are slow under both.
let sanitized: [String: [String]] = [
    "address": ["CModuleTests", "HTTPTransportTests", "LibcryptoTests", "LinuxSystemTests", "SystemdTests"],
    "thread": [
        "AccessControlTests", "AccountDirectoryTests", "AzureServicesTests", "HTTPTransportTests", "LinuxSystemTests",
        "ServerTests", "SystemdTests",
        "entralogind",  // which ServerTests starts
    ],
]

/// These targets and all that they depend on.
@MainActor
func closure(of names: [String]) -> Set<String> {
    var found: Set<String> = []
    var waiting = names
    while let name = waiting.popLast() {
        guard found.insert(name).inserted, let target = package.targets.first(where: { $0.name == name })
        else { continue }
        for dependency in target.dependencies {
            switch dependency {
            case .targetItem(let name, _), .byNameItem(let name, _): waiting.append(name)
            case .productItem: continue
            @unknown default: continue
            }
        }
    }
    return found
}

/// The tests that depend on pure modules only: also for another architecture (packaging/swiftlang/check and cross).
let core = [
    "AuthorizationTests", "AzureMessagesTests", "ByteCodingTests", "IdentityTests", "SettingsTests", "WireTests",
]

/// The tests that ENTRALOGIN_TESTS names: those of a sanitizer; `plain`, all that neither sanitizer runs; or `core`.
@MainActor
func tests(of kind: String) -> [String] {
    if kind == "core" { return core }
    if let tests = sanitized[kind] { return tests }
    guard kind == "plain" else { fatalError("ENTRALOGIN_TESTS is plain, address, thread or core") }
    let others = Set(sanitized.values.joined())
    return package.targets.filter { $0.isTest && !others.contains($0.name) }.map(\.name)
}

if let kind = Context.environment["ENTRALOGIN_TESTS"] {
    let needed = closure(of: tests(of: kind))
    package.targets.removeAll { !needed.contains($0.name) }
    package.products = []
}

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        // Gives the same bytes in every folder: the hash for incremental code generation depends on the build folder.
        .unsafeFlags(["-gnone", "-Xfrontend", "-disable-incremental-llvm-codegen"], .when(configuration: .release)),
    ]
    target.cSettings = [
        .unsafeFlags(["-Wall", "-Wextra", "-Werror"]),
        .unsafeFlags(["-g0"], .when(configuration: .release)),
    ]
}
