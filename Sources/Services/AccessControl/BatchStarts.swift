// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// The accounts about which Azure has answered since the daemon's start, and those whose user manager was refused.
/// Announces when lingering managers may be started (entralogin-linger.service): at the first answer, for managers that
/// were refused before this start, and when Azure allows an account whose manager was refused. The announcement names
/// no account: the account stage decides again. Bounded.
final class BatchStarts: Sendable {
    static let limit = 4096

    private struct State {
        var answered: Set<DirectoryIdentity> = []
        var refused: Set<DirectoryIdentity> = []
    }

    private let state = Mutex(State())
    private let announce: @Sendable () -> Void

    init(announce: @escaping @Sendable () -> Void) { self.announce = announce }

    /// Jobs wait only for the first answer. Once the set is full, every account counts as answered.
    func hasAnswer(about identity: DirectoryIdentity) -> Bool {
        state.withLock { $0.answered.contains(identity) || $0.answered.count >= BatchStarts.limit }
    }

    /// Notes that the account's user manager was refused.
    func noteRefusal(_ identity: DirectoryIdentity) {
        state.withLock { state in
            if state.refused.count < BatchStarts.limit { state.refused.insert(identity) }
        }
    }

    /// True while a user manager waits for Azure's yes.
    var isSomebodyRefused: Bool { state.withLock { !$0.refused.isEmpty } }

    /// Call it only once decisions rest on the answer: the account stage is asked soon after the announcement.
    func noteAnswer(about identity: DirectoryIdentity, isAllowed: Bool) {
        let isNews = state.withLock { state in
            let isFirst = state.answered.isEmpty
            if state.answered.count < BatchStarts.limit { state.answered.insert(identity) }
            let wasRefused = isAllowed && state.refused.remove(identity) != nil
            return isFirst || wasRefused
        }
        if isNews { announce() }
    }
}
