// SPDX-License-Identifier: Apache-2.0

/// Text that must never be logged (P12): printing, interpolating or reflecting it shows only that there is one.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    package init(_ text: String) { self.text = text }

    /// The text itself, for the place that sends it.
    package func reveal() -> String { text }

    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
