// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Glibc
import Identity
import LinuxSystem
import OpenSSHCertificates
import Synchronization
import TestSupport
import Testing

@testable import AccountDirectory
@testable import AzureServices
@testable import Integration
@testable import Migration

/// A file that the product writes: how its version `n` is written, and which version its own reader finds.
private struct Writer: Sendable, CustomTestStringConvertible {
    /// The source file that has the call.
    let source: String
    let write: @Sendable (AtomicFile, Int64) throws -> Void
    /// Nil if the reader accepts nothing.
    let read: @Sendable (AtomicFile) -> Int64?

    var testDescription: String { source }
}

private struct StillTime: TimeSource {
    func wallTime() -> UnixTime { UnixTime(seconds: 1_700_000_000) }
    func bootTime() -> BootTime { BootTime(sinceBoot: .zero) }
    func sleep(until time: BootTime) async {}
}

private func bytes(_ file: AtomicFile) -> [UInt8]? { try? file.read(limit: 1 << 20) }

/// Root's list of mapped accounts, which keep their number; two calls write it.
private let mappedPeople = Writer(
    source: "Migration/MappingFiles.swift",
    write: { file, version in
        let list = try #require(MappingList([try person(uid: UInt32(version))]))
        try file.replace(with: list.bytes, mode: 0o644)
    },
    read: { file in bytes(file).flatMap { try? MappingList(parsing: $0).people.first }.map { Int64($0.uid) - 1000 } }
)

/// The note of the lines that mapping added, with which it can be undone; two calls write it.
private let mappingLines = Writer(
    source: "Migration/MappingFiles.swift",
    write: { file, version in
        var lines = MappingLines()
        lines.people = [try person(uid: UInt32(version))]
        try file.replace(with: lines.bytes, mode: 0o600)
    },
    read: { file in bytes(file).flatMap { MappingLines(parsing: $0)?.people.first }.map { Int64($0.uid) - 1000 } }
)

private func person(uid: UInt32) throws -> MappedPerson {
    let name = try #require(UserName("alice@contoso.com"))
    return try #require(MappedPerson(name: name, objectID: try identity().objectID, uid: 1000 + uid))
}

/// Every call of `AtomicFile.replace` in the product.
private let writers: [Writer] = [
    mappingLines, mappingLines, mappedPeople, mappedPeople,
    Writer(
        source: "AccountDirectory/AccountStore.swift",
        write: { file, version in
            try AccountStore(file).save(.init(table: AccountTable(), generation: UInt64(version)))
        },
        read: { file in (try? AccountStore(file).load()).flatMap { $0 }.map { Int64($0.generation) } }
    ),
    Writer(
        source: "AccountDirectory/SnapshotPublisher.swift",
        write: { file, version in
            let publisher = SnapshotPublisher(file)
            let account = EnrolledAccount(
                account: try account(uid: UInt32(version)),
                identity: try identity(),
                enrolledAt: UnixTime(seconds: version)
            )
            let problem = publisher.publish(
                VisibleAccounts([account]),
                revision: 1,
                policy: .init(),
                generation: UInt64(version),
                seed: [1, 2, 3, 4]
            )
            if problem != nil { throw Errno.inputOutput }
        },
        read: { file in
            guard case .sound(let generation) = SnapshotPublisher(file).published() else { return nil }
            return Int64(generation)
        }
    ),
    Writer(
        source: "AccountDirectory/AdministratorGrants.swift",
        write: { file, version in
            let grants = AdministratorGrants(file: file, boot: try boot(), clock: StillTime())
            try grants.grant(uid: try account(uid: 7).uid, until: BootTime(sinceBoot: .seconds(100 * version)))
        },
        read: { file in
            let found = try? bytes(file).flatMap { GrantSnapshot.read($0, boot: try boot()) }
            return found?.grants.values.first.map { Int64($0 / 100) }
        }
    ),
    Writer(
        source: "AccountDirectory/GroupNumberStore.swift",
        write: { file, version in
            var numbers = GroupNumbers()
            for number in 0..<version {
                let objectID = try #require(ObjectID("00000000-0000-4000-8000-00000000000\(number)"))
                _ = numbers.bind(GroupNumbers.Group(tenant: try identity().tenant, objectID: objectID))
            }
            let elsewhere = TemporaryFolder()
            let mark = GroupNumberMark(AtomicFile(elsewhere("mark")))
            try GroupNumberStore(file, mark: mark).save(numbers)
        },
        read: { file in
            let elsewhere = TemporaryFolder()
            let mark = GroupNumberMark(AtomicFile(elsewhere("mark")))
            return (try? GroupNumberStore(file, mark: mark).load()).map { Int64($0.bindings.count) }
        }
    ),
    Writer(
        source: "AccountDirectory/GroupNumberMark.swift",
        write: { file, version in try GroupNumberMark(file).save(GroupNumbers.range.lowerBound + UInt32(version)) },
        read: { file in
            (try? GroupNumberMark(file).load()).flatMap { $0 }.map { Int64($0 - GroupNumbers.range.lowerBound) }
        }
    ),
    Writer(
        source: "AccountDirectory/EntraGroups.swift",
        write: { file, version in
            let group = EntraGroup(name: "ops_entra", objectID: try identity().objectID)
            let groups = EntraGroups(
                [group],
                store: GroupNumberStore(file, mark: GroupNumberMark(file)),
                file: file,
                environment: .init(
                    clock: StillTime(),
                    boot: try boot(),
                    offload: { work in work() },
                    local: { nil },
                    numberHolder: { _ in .nobody },
                    nameHolder: { _ in .nobody }
                )
            )
            let gid = GroupNumbers.range.lowerBound
            groups.settle([EntraGroups.Published(group: group, gid: gid)], held: [], trouble: [])
            let until = BootTime(sinceBoot: .seconds(100 * version))
            groups.set(uid: try account(uid: 7).uid, in: [group.objectID], until: until)
            if !groups.warnings.isEmpty { throw Errno.inputOutput }
        },
        read: { file in
            let group = GroupSnapshot.Group(name: "ops_entra", gid: GroupNumbers.range.lowerBound)
            let found = try? bytes(file).flatMap { GroupSnapshot.read($0, boot: try boot(), of: [group]) }
            return found?.snapshot.people.values.first.map { Int64($0.expiry / 100) }
        }
    ),
    Writer(
        source: "AccountDirectory/SignInTimes.swift",
        write: { file, version in
            let times = SignInTimes(file)
            times.note(try identity(), at: UnixTime(seconds: version))
            times.flush()
            if let fault = times.fault { throw fault }
        },
        read: { file in
            let times = SignInTimes(file)
            times.load()
            return (try? identity()).flatMap { times[$0] }?.seconds
        }
    ),
    Writer(
        source: "entralogind/Composition.swift",  // the last good machine
        write: { file, version in
            let machine = Machine(
                kind: .virtualMachine,
                resource: try #require(ResourceID("/subscriptions/s/resourceGroups/g/m")),
                tenant: try identity().tenant,
                name: "web\(version)",
                cloud: "AzurePublicCloud"
            )
            try file.replace(with: MachineRecord(machine).bytes, mode: 0o600)
        },
        read: { file in
            bytes(file).flatMap { MachineRecord(parsing: $0) }.flatMap { Int64($0.machine.name.dropFirst(3)) }
        }
    ),
    Writer(
        source: "entralogind/Composition.swift",  // the CA keys for sshd
        write: { file, version in
            var trusted = TrustedKeys()
            let key = try PublicKey(type: .ed25519, fields: .ed25519([UInt8](repeating: 7, count: 32)))
            let now = TrustedKeys.Moment(wall: UnixTime(seconds: version), boot: BootTime(sinceBoot: .zero))
            trusted.take([key], from: "jwks", at: now, overlap: .zero)
            let stamp = TrustedKeys.Stamp(boot: "b", writtenAt: now.boot)
            try file.replace(with: trusted.bytes(inOrderOf: ["jwks"], stamp: stamp), mode: 0o644)
        },
        read: { file in
            let now = TrustedKeys.Stamp(boot: "b", writtenAt: BootTime(sinceBoot: .zero))
            return bytes(file).flatMap {
                TrustedKeys(reading: $0, sources: ["jwks"], now: now).held.first?.seenAt.seconds
            }
        }
    ),
    // The mark that Azure has answered: on a memory file system, and empty except in this test.
    Writer(
        source: "entralogind/Composition.swift",
        write: { file, version in try file.replace(with: Array("\(version)".utf8), mode: 0o644) },
        read: { file in bytes(file).flatMap { Int64(String(decoding: $0, as: UTF8.self)) } }
    ),
    // The mark that the accounts have changed: the same.
    Writer(
        source: "entralogind/Composition.swift",
        write: { file, version in try file.replace(with: Array("\(version)".utf8), mode: 0o644) },
        read: { file in bytes(file).flatMap { Int64(String(decoding: $0, as: UTF8.self)) } }
    ),
    // The published groups, emptied because no Entra group is a Unix group: the same.
    Writer(
        source: "entralogind/Composition.swift",
        write: { file, version in try file.replace(with: Array("\(version)".utf8), mode: 0o644) },
        read: { file in bytes(file).flatMap { Int64(String(decoding: $0, as: UTF8.self)) } }
    ),
    // Lines of subordinate ids, written by root; an existing file keeps its owner and mode (SubordinateIDsTests).
    Writer(
        source: "Integration/SubordinateIDWriter.swift",
        write: { file, version in
            let name = SystemName(try #require(UserName("alice@contoso.com")))
            let ids = SubordinateIDFile(parsing: []).adding([(name, UInt32(version))])
            try file.replace(with: ids.bytes, mode: 0o644)
        },
        read: { file in
            bytes(file).flatMap { SubordinateIDFile(parsing: $0).lines.first }.map { Int64($0.range.lowerBound) }
        }
    ),
    // The record of the integration check, written by root on a memory file system; an incomplete record does not
    // count (StackStampTests).
    Writer(
        source: "Integration/StackStampWriter.swift",
        write: { file, version in try file.replace(with: Array("\(version)".utf8), mode: 0o644) },
        read: { file in bytes(file).flatMap { Int64(String(decoding: $0, as: UTF8.self)) } }
    ),
    // sshd's copy of the CA keys, written by root.
    Writer(
        source: "Integration/AuthorityCopy.swift",
        write: { file, version in
            let key = try PublicKey(type: .ed25519, fields: .ed25519([UInt8](repeating: UInt8(version), count: 32)))
            try file.replace(with: AuthorityCopy.content([key]), mode: 0o644)
        },
        read: { file in
            guard let keys = bytes(file).flatMap({ try? AuthorityCopy.keys(in: $0) }), let key = keys.first,
                case .ed25519(let point) = key.fields
            else { return nil }
            return Int64(point[0])
        }
    ),
    // The metrics: a collector never reads half of them.
    Writer(
        source: "entraloginctl/Tool+Records.swift",
        write: { file, version in try file.replace(with: Array("entralogin_up \(version)\n".utf8), mode: 0o644) },
        read: { file in
            bytes(file).flatMap { Int64(String(decoding: $0, as: UTF8.self).dropFirst(14).dropLast()) }
        }
    ),
    // The output of `report FILE`, which only root may read.
    Writer(
        source: "entraloginctl/Tool+Report.swift",
        write: { file, version in try file.replace(with: Array("entralogin report \(version)\n".utf8), mode: 0o600) },
        read: { file in
            bytes(file).flatMap { Int64(String(decoding: $0, as: UTF8.self).dropFirst(18).dropLast()) }
        }
    ),
]

private func boot() throws -> BootID { try #require(BootID("00010203-0405-0607-0809-0a0b0c0d0e0f\n")) }

/// Fails at a step, or records the files in the folder before each step.
private final class Strikes: Sendable {
    private let folder: TemporaryFolder
    private let failure: (step: AtomicFile.Step, error: Errno)?
    private let seen = Mutex<[(step: AtomicFile.Step, files: [String: [UInt8]])]>([])

    init(in folder: TemporaryFolder, failing failure: (step: AtomicFile.Step, error: Errno)? = nil) {
        self.folder = folder
        self.failure = failure
    }

    var all: [(step: AtomicFile.Step, files: [String: [UInt8]])] { seen.withLock { $0 } }

    func file(_ name: String) -> AtomicFile {
        AtomicFile(folder(name), pieceSize: 40) { [self] step throws(Errno) in
            var files: [String: [UInt8]] = [:]
            for name in folder.names { files[name] = bytes(AtomicFile(folder(name))) }
            seen.withLock { $0.append((step, files)) }
            if let failure, failure.step == step { throw failure.error }
        }
    }
}

@Suite struct WritePointsTests {
    @Test("P14: killed at any step of writing any of the daemon's files, its reader finds the old one or the new one")
    func everyWriterIsThere() throws {
        for writer in writers {
            let folder = TemporaryFolder()
            try writer.write(AtomicFile(folder("file")), 1)
            let strikes = Strikes(in: folder)
            try writer.write(strikes.file("file"), 2)
            #expect(Set(strikes.all.map(\.step)) == Set(AtomicFile.Step.allCases), "\(writer.source)")
            var found: [Int64] = []
            for (step, files) in strikes.all {
                let other = TemporaryFolder()
                for (name, bytes) in files { other.write(bytes, to: name, mode: 0o600) }
                let version = try #require(writer.read(AtomicFile(other("file"))), "\(writer.source): \(step)")
                found.append(version)
                // Files that were left behind do not hinder the next write.
                try writer.write(AtomicFile(other("file")), 3)
                #expect(writer.read(AtomicFile(other("file"))) == 3, "\(writer.source): \(step)")
                #expect(other.names == ["file"], "\(writer.source): \(step)")
            }
            #expect(found == found.sorted() && Set(found) == [1, 2], "\(writer.source)")
        }
    }

    @Test(
        "P14: whatever fails at whichever step of writing any of the daemon's files, the old one or the new one stands",
        arguments: [Errno.noSpace, .readOnlyFileSystem, .inputOutput, Errno(EDQUOT)]
    )
    func failures(error: Errno) throws {
        for writer in writers {
            for step in AtomicFile.Step.allCases {
                let folder = TemporaryFolder()
                try writer.write(AtomicFile(folder("file")), 1)
                let file = Strikes(in: folder, failing: (step, error)).file("file")
                // A grant stays valid if its folder cannot be synced: a power cut ends all grants anyway.
                let failed = (try? writer.write(file, 2)) == nil
                #expect(failed || step == .syncFolder, "\(writer.source): \(step)")
                #expect(
                    writer.read(AtomicFile(folder("file"))) == (step == .syncFolder ? 2 : 1),
                    "\(writer.source): \(step)"
                )
                #expect(folder.names == ["file"], "\(writer.source): \(step)")
            }
        }
    }

    @Test("P14: the two tests above know every writer that there is")
    func complete() throws {
        let top = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        var calls: [String] = []
        for layer in TemporaryFolder.names(in: "\(top)/Sources") {
            for target in TemporaryFolder.names(in: "\(top)/Sources/\(layer)") {
                let folder = "\(top)/Sources/\(layer)/\(target)"
                for name in TemporaryFolder.names(in: folder) where name.hasSuffix(".swift") {
                    let text = String(decoding: bytes(AtomicFile("\(folder)/\(name)")) ?? [], as: UTF8.self)
                    let count = text.split(separator: ".replace(with:", omittingEmptySubsequences: false).count - 1
                    calls += [String](repeating: "\(target)/\(name)", count: count)
                }
            }
        }
        #expect(calls.sorted() == writers.map(\.source).sorted())
    }
}
