// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// About whom Azure has answered since the daemon's start, and whose user manager was refused. Gives the word by which
/// root's side starts the managers that linger: at the first answer, for managers that were refused before this start, and
/// when Azure allows somebody whose manager was refused. The word names nobody: the account stage decides again. Bounded.
final class BatchStarts: Sendable {
    static let limit = 4096

    private struct State {
        var answered: Set<DirectoryIdentity> = []
        var refused: Set<DirectoryIdentity> = []
    }

    private let state = Mutex(State())
    private let announce: @Sendable () -> Void

    init(announce: @escaping @Sendable () -> Void) { self.announce = announce }

    /// Nobody waits for an answer of Azure's but the first. For more people than are remembered it counts as given.
    func hasAnswer(about identity: DirectoryIdentity) -> Bool {
        state.withLock { $0.answered.contains(identity) || $0.answered.count >= BatchStarts.limit }
    }

    /// A user manager was refused.
    func noteRefusal(_ identity: DirectoryIdentity) {
        state.withLock { state in
            if state.refused.count < BatchStarts.limit { state.refused.insert(identity) }
        }
    }

    /// True while a user manager waits for Azure's yes.
    var isSomebodyRefused: Bool { state.withLock { !$0.refused.isEmpty } }

    /// Called when the answer counts: the account stage is asked soon after the word.
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
