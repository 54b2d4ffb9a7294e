// SPDX-License-Identifier: Apache-2.0

/// What the machine's name services say of a number, or of a name, that no Entra account has yet.
package enum NumberHolder: Hashable, Sendable {
    case nobody
    /// A user or group of another name service: its name where a number was asked for, its number where a name was.
    case somebody(String)
    /// One of them does not answer, or could not be asked; why.
    case unknown(String)
}
