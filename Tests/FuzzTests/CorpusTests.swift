// SPDX-License-Identifier: Apache-2.0

import Fuzzing
import Glibc
import TestSupport
import Testing

struct CorpusTests {
    @Test("P13: each fuzzer's promises hold over its corpus", arguments: FuzzTarget.allCases)
    func corpus(_ target: FuzzTarget) throws {
        let files = try read(target)
        #expect(!files.isEmpty, "the corpus is empty")
        var taken = 0
        for file in files {
            let isTaken = target.takes(file.bytes)
            if isTaken { taken += 1 }
            // libFuzzer's inputs are named by a digest; only the seeds are damaged here, in the same way in every run.
            guard file.name.utf8.count != 40 else { continue }
            for damaged in Damage(file.bytes).all { _ = target.takes(damaged) }
        }
        #expect(taken > 0, "the corpus reaches nothing but refusals")
    }

    @Test("P13: every certificate of Entra's form is verified, and no beginning of it, nor any other")
    func certificates() throws {
        var verified: [String] = []
        for file in try read(.certificate) where file.name.utf8.count != 40 {
            if FuzzTarget.certificate.takes(file.bytes) { verified.append(file.name) }
            for count in 0..<file.bytes.count { #expect(!FuzzTarget.certificate.takes(Array(file.bytes[..<count]))) }
        }
        #expect(
            verified.sorted() == [
                "entra-ed25519", "entra-options", "entra-p256", "entra-p384", "entra-p521", "entra-rsa-sha256",
                "entra-rsa-sha512",
            ]
        )
    }

    @Test("P13: every seed of a form of entralogin alone is read, but for those that must not be")
    func seeds() throws {
        let refused: Set = [
            "other-verb", "other-version", "wrong", "same-group", "match-before", "passed-over", "substack",
            "name-service", "cut-200", "plus-sign", "control-characters", "include-itself", "upgrade", "without-end",
            "half-lines", "a-system-number", "alg-none",
        ]
        // Without Azure's messages, which have many forms: each of those files is read as every form.
        for target in FuzzTarget.allCases where ![.certificate, .access, .metadata, .keys].contains(target) {
            for file in try read(target) where file.name.utf8.count != 40 {
                let mustBe = !refused.contains(file.name) || target == .response
                #expect(target.takes(file.bytes) == mustBe, "\(target): \(file.name)")
            }
        }
    }

    /// The complete files of a corpus.
    private func read(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder =
            #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Fuzzers/Corpora/\(target)"
        let stream = try #require(opendir(folder))
        defer { closedir(stream) }
        var files: [(name: String, bytes: [UInt8])] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let file = try #require(fopen("\(folder)/\(name)", "r"))
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 65_537)
            let count = fread(&bytes, 1, bytes.count, file)
            files.append((name, Array(bytes.prefix(count))))
        }
        return files
    }
}

/// Truncations of the bytes, and the bytes with one changed: at about thirty positions, in the deep tier at a hundred.
private struct Damage {
    private static let changes: [UInt8] = [0x01, 0x20, 0x80]
    let all: [[UInt8]]

    init(_ bytes: [UInt8]) {
        let places = Array(stride(from: 0, to: bytes.count, by: bytes.count / Tier.count(29, deep: 97) + 1))
        let changed = places.flatMap { place in
            Damage.changes.map { bits in
                var copy = bytes
                copy[place] ^= bits
                return copy
            }
        }
        all = places.map { Array(bytes[..<$0]) } + changed
    }
}
