// SPDX-License-Identifier: Apache-2.0

import Glibc
import Integration
import Settings
import TestSupport
import Testing

@testable import entraloginctl

/// `config` and `doctor` read the same files as the daemon, by the same rules.
@Suite struct SettingsFilesTests {
    let folder = TemporaryFolder()

    private func read() -> SettingsFiles.Reading { SettingsFiles(path: folder("entralogin.conf")).read() }

    private func value(of key: String) throws -> SettingReport {
        guard case .settings(let settings) = read() else {
            Issue.record("flawed: \(read())")
            throw CancellationError()
        }
        return try #require(settings.report.first { $0.key == key })
    }

    private var findings: [Finding] {
        guard case .flawed(let findings) = read() else { return [] }
        return findings
    }

    @Test("Where there are no settings, every key has its default and no origin; a drop-in counts without the file")
    func defaults() throws {
        let standard = SettingReport(key: "Accounts.Shell", value: "/bin/bash", origin: nil)
        #expect(try value(of: "Accounts.Shell") == standard)
        try #require(mkdir(folder("entralogin.conf.d"), 0o755) == 0)
        let path = folder.write(Array("[Accounts]\nShell=/bin/zsh\n".utf8), to: "entralogin.conf.d/10.conf")
        #expect(try value(of: "Accounts.Shell").value == "/bin/zsh")
        #expect(try value(of: "Accounts.Shell").origin == "\(path):2")
    }

    @Test("What the daemon refuses to read is told as it refuses it")
    func refused() throws {
        let path = folder.write(Array("[SignIn]\n".utf8), to: "entralogin.conf", mode: 0o666)
        #expect(findings.map(\.place) == [path])
        #expect(findings.first?.found.contains("lets others write it") == true)
        folder.write(Array("[SignIn]\nOfflineGrace=soon\n".utf8), to: "entralogin.conf")
        #expect(findings.map(\.place) == ["\(path):2"])
        folder.write([], to: "entralogin.conf")
        folder.write([], to: "entralogin.conf.d")
        #expect(findings.map(\.place) == ["\(path).d"])
    }

    @Test("P16: a key that an earlier version had is a warning with its line; once the line is deleted, it is none")
    func former() throws {
        func remarks(_ text: String) throws -> [Finding] {
            folder.write(Array(text.utf8), to: "entralogin.conf")
            guard case .settings(let settings) = read() else { throw CancellationError() }
            return SettingsFiles.remarks(of: settings)
        }
        let found = try remarks("[Accounts]\nUserDatabase=yes\nShell=/bin/sh\n")
        try #require(found.map(\.id.text) == ["settings.former"])
        #expect(found[0].severity == .warning && found[0].place == "\(folder("entralogin.conf")):2")
        #expect(found[0].remedy == "delete this line")
        #expect(try remarks("[Accounts]\nShell=/bin/sh\n").isEmpty)
        #expect(try value(of: "Accounts.Shell").value == "/bin/sh")
    }

    @Test(
        "P12: a proxy's name and password are shown nowhere, right or wrong",
        arguments: ["http", "https", "ftp", "http //x", ""]
    )
    func secrets(scheme: String) throws {
        for line in ["Proxy=\(scheme)://somebody:hunter2@proxy:8080", "Proxy \(scheme)://somebody:hunter2@proxy:8080"] {
            folder.write(Array("[Azure]\n\(line)\n".utf8), to: "entralogin.conf")
            let all =
                switch read() {
                case .settings(let settings): "\(settings.report)"
                case .flawed(let findings): "\(findings)"
                }
            #expect(!all.contains("hunter2") && !all.contains("somebody"), "\(all)")
        }
        folder.write(Array("[Azure]\nProxy=http://somebody:hunter2@proxy:8080\n".utf8), to: "entralogin.conf")
        #expect(try value(of: "Azure.Proxy").value == "http://***@proxy:8080")
        folder.write(Array("[Azure]\nProxy=http://proxy:8080\n".utf8), to: "entralogin.conf")
        #expect(try value(of: "Azure.Proxy").value == "http://proxy:8080")
    }
}
