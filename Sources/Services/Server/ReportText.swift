// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// Reports as JSON, which the tool reads back; a test checks every report with a standard decoder.
enum ReportText {
    static func json(_ report: some Encodable & Sendable) -> [UInt8] {
        do { return try JSON(encoding: report).bytes } catch {
            assertionFailure("a report holds something that is no JSON: \(error)")
            return JSON.null.bytes
        }
    }
}
