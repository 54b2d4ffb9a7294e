// SPDX-License-Identifier: Apache-2.0

package import LinuxSystem
package import Wire

/// The two sockets. Which one a request came through counts as much as its caller.
package enum SocketKind: String, Sendable {
    case control
    case principals
}

/// Which caller may ask what (P10): decided by the peer credentials from the kernel, never by the request's content.
package struct CallerPolicy: Hashable, Sendable {
    /// The uid of `entralogin-ssh`; nil if the machine has no such user, and then only root may run the helper.
    package let helperUID: UInt32?

    package init(helperUID: UInt32?) { self.helperUID = helperUID }

    package func allows(_ verb: Verb, from peer: PeerCredentials, on socket: SocketKind) -> Bool {
        switch socket {
        case .control: peer.uid == 0
        case .principals: verb == .checkCertificate && (peer.uid == 0 || peer.uid == helperUID)
        }
    }
}
