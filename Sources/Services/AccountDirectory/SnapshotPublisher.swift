// SPDX-License-Identifier: Apache-2.0

internal import CSnapshot
internal import Identity
internal import LinuxSystem
internal import Synchronization

/// Keeps the published file equal to the visible accounts, and writes it only if it differs.
///
/// The generation in the file is the store's, times 2^20, plus the publications since: it grows with each, and shows
/// which store it came from.
final class SnapshotPublisher: Sendable {
    /// The state of the file at the path.
    enum Published: Hashable {
        case absent
        case unsound
        /// With the generation of the store that it was made from.
        case sound(storeGeneration: UInt64)
    }

    private struct State {
        var isRead = false
        var seed: UInt32?
        var generation: UInt64 = 0
        /// The content of the published file, and the file's stamp.
        var content: Content?
        var stamp: FileStamp?
        /// A replacement has failed: the file may be the old one or the new one.
        var isInDoubt = false
    }

    private struct Content {
        var visible: VisibleAccounts
        var revision: UInt64
        var policy: AccountPolicy

        /// Compares without looking at each account.
        func isSame(as other: Content) -> Bool {
            revision == other.revision && visible.hidden == other.visible.hidden
                && visible.groupsAlone == other.visible.groupsAlone && policy == other.policy
        }
    }

    private static let publicationBits: UInt64 = 20

    private let file: AtomicFile
    private let state = Mutex(State())

    var path: String { file.path }

    init(_ file: AtomicFile) { self.file = file }

    func published() -> Published {
        do throws(FileError) {
            guard let header = Header(try read()) else { return .unsound }
            return .sound(storeGeneration: header.generation >> Self.publicationBits)
        } catch {
            return error.isAbsent ? .absent : .unsound
        }
    }

    /// Publishes unless the file has exactly this content. `revision` changes with each change of the table that
    /// `visible` shows. Returns the error, or nil. One caller at a time.
    func publish(
        _ visible: VisibleAccounts,
        revision: UInt64,
        policy: AccountPolicy,
        generation: UInt64,
        seed random: [UInt8]
    ) -> String? {
        let content = Content(visible: visible, revision: revision, policy: policy)
        var state = self.state.withLock { $0 }
        defer { self.state.withLock { $0 = state } }
        do {
            if !state.isRead { try recognize(content, &state) }
            // A file that another program removed or changed is written again.
            if let published = state.content, published.isSame(as: content), !state.isInDoubt, state.stamp != nil,
                state.stamp == stamp
            {
                return nil
            }
            let seed = state.seed ?? random.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            let next = max(state.generation + 1, generation << Self.publicationBits)
            let snapshot = try AccountSnapshot(of: visible, policy: policy, generation: next, seed: seed)
            state.isInDoubt = true
            try file.replace(with: { (append) throws(FileError) in try snapshot.write(append) }, mode: 0o644)
            state.seed = seed
            state.generation = next
            // The previous content is freed here, with the new file in place: no reader waits for that.
            state.content = content
            state.stamp = stamp
            state.isInDoubt = false
            return nil
        } catch {
            return "cannot publish the accounts: \(error)"
        }
    }

    /// False if the published file was removed or changed by another program, or nothing was published yet. One stat(2)
    /// call.
    var isInPlace: Bool {
        let published = state.withLock { $0.stamp }
        return published != nil && published == stamp
    }

    /// After a start: an earlier run's file with the same content need not be written again.
    private func recognize(_ content: Content, _ state: inout State) throws {
        state.isRead = true
        state.stamp = stamp
        guard let bytes = try? read(), let header = Header(bytes) else { return }
        state.seed = header.seed
        state.generation = header.generation
        let same = try AccountSnapshot(
            of: content.visible,
            policy: content.policy,
            generation: header.generation,
            seed: header.seed
        )
        if same.bytes == bytes { state.content = content }
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
