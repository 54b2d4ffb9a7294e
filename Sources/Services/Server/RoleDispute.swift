// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// Two checkers gave one user different roles in the last check of that user.
struct RoleDispute: Hashable, Sendable {
    let objectID: ObjectID
    /// `pas says user, arm says none`.
    let text: String
}
