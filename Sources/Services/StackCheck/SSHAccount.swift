// SPDX-License-Identifier: Apache-2.0

/// An account as sshd finds it in the name service.
package struct SSHAccount: Hashable, Sendable {
    package let name: String
    package let uid: UInt32
    package let home: String
    package let shell: String
    /// It has signed in before: it has a group of its own, and its record is there for every program.
    package let isEnrolled: Bool

    package init(name: String, uid: UInt32, home: String, shell: String, isEnrolled: Bool) {
        self.name = name
        self.uid = uid
        self.home = home
        self.shell = shell
        self.isEnrolled = isEnrolled
    }
}
