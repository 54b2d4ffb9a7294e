// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// Two checkers that gave one person another role, in the last check of that person.
struct RoleDispute: Hashable, Sendable {
    let objectID: ObjectID
    /// `pas says user, arm says none`.
    let text: String
}
