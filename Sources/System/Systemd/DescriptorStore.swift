// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import LinuxSystem

/// systemd's descriptor store (`FileDescriptorStoreMax=`, sd_notify(3)): a restarted service gets back what was put
/// there, under its name. No call blocks: where systemd does not read, nothing is stored.
package final class DescriptorStore: Sendable {
    /// Longest name that systemd takes.
    package static let longestName = 255

    private let sender: DatagramSender

    /// Nil where no systemd listens. Errors: no descriptor is left.
    package init?() throws(Errno) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !path.isEmpty else { return nil }
        sender = try DatagramSender(to: path)
    }

    /// False if it was not sent. systemd does not say whether it had room.
    package func put(_ process: ProcessDescriptor, as name: String) -> Bool {
        guard DescriptorStore.isName(name) else { return false }
        return send("FDSTORE=1\nFDNAME=\(name)", with: process)
    }

    /// Removes all that is stored under that name. False if the request was not sent.
    package func remove(_ name: String) -> Bool {
        DescriptorStore.isName(name) && send("FDSTOREREMOVE=1\nFDNAME=\(name)", with: nil)
    }

    /// Printable ASCII without `:`, which separates names in `LISTEN_FDNAMES`.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= longestName
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }

    private func send(_ state: String, with process: ProcessDescriptor?) -> Bool {
        do throws(Errno) {
            try sender.send(Array(state.utf8), with: process)
            return true
        } catch {
            return false
        }
    }
}
