// SPDX-License-Identifier: Apache-2.0

internal import CSnapshot
internal import Identity
internal import LinuxSystem
internal import Synchronization

/// Keeps the published file equal to what is to be seen, and writes only where it is not.
///
/// The generation in the file is the store's, times 2^20, plus the publications since: it grows with each, and shows
/// which store it came from.
final class SnapshotPublisher: Sendable {
    /// What lies at the path.
    enum Published: Hashable {
        case absent
        case unsound
        /// And the generation of the store that it came from.
        case sound(storeGeneration: UInt64)
    }

    private struct State {
        var isRead = false
        var seed: UInt32?
        var generation: UInt64 = 0
        /// What the file is known to say, and the file that says it.
        var content: Content?
        var stamp: FileStamp?
    }

    private struct Content: Equatable {
        var accounts: [Account]
        var policy: AccountPolicy
    }

    private static let publicationBits: UInt64 = 20

    private let file: AtomicFile
    private let state = Mutex(State())

    var path: String { file.path }

    /// What the file says; empty while that is not known.
    var accounts: [Account] { state.withLock { $0.content?.accounts ?? [] } }

    init(_ file: AtomicFile) { self.file = file }

    func published() -> Published {
        do throws(FileError) {
            guard let header = Header(try read()) else { return .unsound }
            return .sound(storeGeneration: header.generation >> Self.publicationBits)
        } catch {
            return error.isAbsent ? .absent : .unsound
        }
    }

    /// Publishes where the file does not say exactly this. Returns what went wrong. One caller at a time.
    func publish(_ accounts: [Account], policy: AccountPolicy, generation: UInt64, seed random: [UInt8]) -> String? {
        let content = Content(accounts: accounts, policy: policy)
        var state = self.state.withLock { $0 }
        defer { self.state.withLock { $0 = state } }
        do {
            if !state.isRead { try recognize(content, &state) }
            // A file that somebody took away or changed is put back.
            guard state.content != content || state.stamp == nil || state.stamp != stamp else { return nil }
            let seed = state.seed ?? random.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            let next = max(state.generation + 1, generation << Self.publicationBits)
            let bytes = try AccountSnapshot.bytes(of: accounts, policy: policy, generation: next, seed: seed)
            // In case it fails: what stands there is then either of the two.
            state.content = nil
            try file.replace(with: bytes, mode: 0o644)
            state.seed = seed
            state.generation = next
            state.content = content
            state.stamp = stamp
            return nil
        } catch {
            return "cannot publish the accounts: \(error)"
        }
    }

    /// After a start: the file of an earlier run need not be written again where it says the same.
    private func recognize(_ content: Content, _ state: inout State) throws {
        state.isRead = true
        state.stamp = stamp
        guard let bytes = try? read(), let header = Header(bytes) else { return }
        state.seed = header.seed
        state.generation = header.generation
        let same = try AccountSnapshot.bytes(
            of: content.accounts,
            policy: content.policy,
            generation: header.generation,
            seed: header.seed
        )
        if same == bytes { state.content = content }
    }

    private var stamp: FileStamp? { try? FileStamp(of: path) }

    private func read() throws(FileError) -> [UInt8] {
        try file.read(limit: Int(ENTRALOGIN_SNAPSHOT_MAX), requiring: .ownOrRoots)
    }

    private struct Header {
        let generation: UInt64
        let seed: UInt32

        init?(_ bytes: [UInt8]) {
            guard bytes.count >= Int(ENTRALOGIN_ACCOUNTS_HEADER),
                bytes[0..<8].elementsEqual(ENTRALOGIN_ACCOUNTS_MAGIC.utf8),
                bytes.number(at: 8) == ENTRALOGIN_SNAPSHOT_VERSION,
                bytes.number(at: 124) == SnapshotHash.of(bytes[0..<124], seed: 0)
            else { return nil }
            generation = bytes.number(at: 24)
            seed = bytes.number(at: 36)
        }
    }
}
