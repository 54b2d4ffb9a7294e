// SPDX-License-Identifier: Apache-2.0

/// Why every process of an account ends. The raw values are those of `ENTRALOGIN_END_ACCOUNT` in `entralogin_wire.h`.
package enum EndingCause: UInt16, Sendable, CaseIterable {
    /// A final no: Azure gives no login role on this machine. Never an outage.
    case roleGone = 1
    case retired
    /// A key or certificate with which a session began is in `RevokedKeys=`.
    case revoked
    /// `entraloginctl sessions end`.
    case command
    /// A final no: the account is disabled in Entra, or deleted.
    case accountDisabled

    /// The reason code of the record; nil for an administrator's command.
    package var reason: DenialReason? {
        switch self {
        case .roleGone: .roleNotAssigned
        case .retired: .accountRetired
        case .revoked: .certificateRevoked
        case .command: nil
        case .accountDisabled: .accountDisabled
        }
    }
}

/// A process that an account's session started under another uid and that goes on: a root shell from sudo, for example.
package struct OtherProcess: Hashable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    /// As the kernel names it (comm): chosen by its owner, so it is quoted before it is shown.
    package let command: String

    package init(pid: Int32, uid: UInt32, command: String) {
        self.pid = pid
        self.uid = uid
        self.command = command
    }
}

/// What became of the processes of one account.
package struct EndedProcesses: Hashable, Sendable {
    package var ended: Int
    /// Processes of that account that were still alive some seconds later.
    package var left: Int
    /// Processes of others, which were left alone; at most 32.
    package var others: [OtherProcess]

    package init(ended: Int, left: Int, others: [OtherProcess]) {
        self.ended = ended
        self.left = left
        self.others = others
    }
}

/// Why nothing was ended.
package enum EndingFault: Error, Hashable, Sendable {
    /// The program that ends processes does not answer; in words.
    case unreachable(String)
    /// By root's files, the uid is not an Entra account's.
    case notEntra
    /// The processes of this machine cannot be seen (`hidepid=`).
    case unseen

    package var text: String {
        switch self {
        case .unreachable(let why): "end-sessions does not answer: \(why)"
        case .notEntra: "by the local files, the uid is not an Entra account's"
        case .unseen: "end-sessions cannot see the processes of other users: is /proc mounted with hidepid=?"
        }
    }
}

/// Ends every process of one account. The adapter asks a separate program, because the daemon has no capability (P11).
package protocol SessionEnder: Sendable {
    /// Returns when it is done, within `ENTRALOGIN_END_DEADLINE_MS`. This interface does not check `uid` and `name`:
    /// the program checks by root's files that `uid` is an Entra account's, and which numbers its rootless containers
    /// have.
    func end(uid: UInt32, named name: String, because cause: EndingCause) async throws(EndingFault) -> EndedProcesses
}

/// For a machine without that program.
package struct NoSessionEnder: SessionEnder {
    package init() {}

    package func end(uid: UInt32, named name: String, because cause: EndingCause) async throws(EndingFault)
        -> EndedProcesses
    {
        throw .unreachable("it is not installed")
    }
}
