// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// What was found out about names and numbers so far.
final class GroupLooks: Sendable {
    struct State {
        /// Nil before the store was read.
        var numbers: GroupNumbers?
        /// What other name services said of a name, and when they are asked again.
        var names: [String: (holder: NumberHolder, until: BootTime)] = [:]
    }

    let turn = WriteTurn()
    let state = Mutex(State())
}
