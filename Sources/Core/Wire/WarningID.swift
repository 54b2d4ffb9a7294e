// SPDX-License-Identifier: Apache-2.0

package import Authorization

/// What a warning of the daemon is about: a reason code, or one of the words below. Stable, for scripts
/// (Documentation/findings.md). A daemon of another version may send one that is not listed here.
package struct WarningID: RawRepresentable, Hashable, Sendable, Codable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package init(_ reason: DenialReason) { rawValue = reason.rawValue }

    package static let auditDropped = WarningID(rawValue: "audit-dropped")
    package static let checkersDisagree = WarningID(rawValue: "checkers-disagree")
    package static let cloud = WarningID(rawValue: "cloud")
    package static let disk = WarningID(rawValue: "disk")
    package static let jobsNotRun = WarningID(rawValue: "jobs-not-run")
    package static let journalStuck = WarningID(rawValue: "journal-stuck")
    package static let keysNotPublished = WarningID(rawValue: "keys-not-published")
    package static let keysStale = WarningID(rawValue: "keys-stale")
    package static let refusalsUnconfirmed = WarningID(rawValue: "refusals-unconfirmed")
    package static let shadowed = WarningID(rawValue: "shadowed")
    package static let shadowedGroup = WarningID(rawValue: "shadowed-group")
    package static let tenantSetting = WarningID(rawValue: "tenant-setting")
}
