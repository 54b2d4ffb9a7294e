// SPDX-License-Identifier: Apache-2.0

/// What a finding is about: one of the ids of Documentation/findings.md. An id never changes its meaning.
/// FindingID+Table.swift lists all of them; a part that varies is the name of a unit, a service, or a keyword.
package struct FindingID: Hashable, Sendable {
    /// The first word.
    package enum Subject: String, Sendable {
        case accounts
        case adopted
        case daemon
        case disk
        case files
        case helper
        case home
        case homes
        case ids
        case integration
        case keys
        case lastlog
        case limits
        case module
        case names
        case namespace
        case neighbour
        case nologin
        case nscd
        case nss
        case oldExtension = "old-extension"
        case openssh
        case overrides
        case pam
        case pamProbe = "pam-probe"
        case proc
        case recording
        case selinux
        case settings
        case setup
        case shell
        case sshd
        case stamp
        case subids
        case sudo
        case sudoRs = "sudo-rs"
        case sudoers
        case units
        case user
    }

    package let subject: Subject
    /// The part after the first word and its dot; nil for the subject as a whole.
    private let part: String?

    init(_ subject: Subject, _ part: String? = nil) {
        self.subject = subject
        self.part = part
    }

    /// As scripts read it: `sshd.usepam`.
    package var text: String { part.map { "\(subject.rawValue).\($0)" } ?? subject.rawValue }
}

extension FindingID: CustomStringConvertible, Encodable {
    package var description: String { text }

    /// The text alone.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
