// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// A type whose values can be written as entralogin.conf takes them. Every key has such a type or its own way to write
/// its value, so no setting is missing from `entraloginctl config`.
protocol WrittenValue: Sendable {
    /// Empty where nothing is set and the value is determined at run time.
    var written: String { get }
}

extension String: WrittenValue {
    var written: String { self }
}

extension Bool: WrittenValue {
    var written: String { self ? "yes" : "no" }
}

extension Duration: WrittenValue {
    /// In the largest unit that divides it.
    var written: String {
        let seconds = components.seconds
        let units: [(name: String, seconds: Int64)] = [("d", 86_400), ("h", 3600), ("min", 60)]
        guard seconds > 0, let unit = units.first(where: { seconds % $0.seconds == 0 }) else { return "\(seconds)s" }
        return "\(seconds / unit.seconds)\(unit.name)"
    }
}

extension GUID: WrittenValue {
    var written: String { text }
}

extension TenantID: WrittenValue {
    var written: String { description }
}

extension HomeTemplate: WrittenValue {
    var written: String { text }
}

extension AccountOverride: WrittenValue where Value: WrittenValue {
    var written: String { "\(who):\(value.written)" }
}

extension AccessCheckerName: WrittenValue {
    var written: String { rawValue }
}

extension KeySourceName: WrittenValue {
    var written: String { rawValue }
}

extension DeviceServiceName: WrittenValue {
    var written: String { rawValue }
}

extension Optional: WrittenValue where Wrapped: WrittenValue {
    var written: String { self?.written ?? "" }
}

/// Words, separated by blanks.
extension Array: WrittenValue where Element: WrittenValue {
    var written: String { map(\.written).joined(separator: " ") }
}

extension ClosedRange: WrittenValue where Bound == UInt32 {
    var written: String { "\(lowerBound)-\(upperBound)" }
}
