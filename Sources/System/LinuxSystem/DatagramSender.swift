// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// Sends datagrams to one path (unix(7), SOCK_DGRAM), unconnected: the socket that is bound there at that moment gets
/// them. Never blocks; closed when its owner lets go of it.
package final class DatagramSender: Sendable {
    private let socket: Descriptor
    private let path: String

    package init(to path: String) throws(Errno) {
        socket = Descriptor(takingOwnership: try checked(clinux_datagram()))
        self.path = path
    }

    /// Sends one message whole, or not at all. Errors: ENOENT and ECONNREFUSED where no socket is bound there, EAGAIN
    /// where its queue is full, EACCES, EMSGSIZE.
    package func send(_ message: [UInt8]) throws(Errno) {
        let sent = message.withUnsafeBytes { clinux_send_to(socket.rawValue, path, $0.baseAddress, $0.count) }
        try checked(sent)
    }

    /// The same with a descriptor, of which the receiver gets a copy; nil: none. Here the path may be abstract, with
    /// `@` in front. Errors: EAFNOSUPPORT, too, for a path that is neither; EBADF.
    package func send(_ message: [UInt8], with process: ProcessDescriptor?) throws(Errno) {
        let attached = process?.rawValue ?? -1
        let sent = message.withUnsafeBytes {
            clinux_send_with(socket.rawValue, path, $0.baseAddress, $0.count, attached)
        }
        try checked(sent)
    }
}
