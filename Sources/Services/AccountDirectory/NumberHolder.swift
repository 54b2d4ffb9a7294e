// SPDX-License-Identifier: Apache-2.0

/// The answer of the machine's name services about a number or a name that no Entra account has yet.
package enum NumberHolder: Hashable, Sendable {
    case nobody
    /// A user or group of another name service: its name if a number was looked up, its number if a name was.
    case somebody(String)
    /// A name service did not answer or could not be asked; the text says why.
    case unknown(String)
}
