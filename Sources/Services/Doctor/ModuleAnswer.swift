// SPDX-License-Identifier: Apache-2.0

/// What a module of PAM's account stage says to one account, as far as its files show it.
enum ModuleAnswer: Hashable, Sendable {
    case passes
    /// Refused, with the reason and what to do.
    case refuses(String, remedy: String)
    /// It depends on what is not known here, in words.
    case unknown(String)
}
