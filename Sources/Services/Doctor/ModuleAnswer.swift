// SPDX-License-Identifier: Apache-2.0

/// The answer of a module of PAM's account stage for one account, by the module's files.
enum ModuleAnswer: Hashable, Sendable {
    case passes
    /// Refused, with the reason and what to do.
    case refuses(String, remedy: String)
    /// The files do not show the answer; the text says why.
    case unknown(String)
}
