// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import LinuxSystem

/// systemd's store of descriptors (`FileDescriptorStoreMax=`, sd_notify(3)): what is put there comes back, under its name,
/// when the service is started again. Nothing waits: where systemd does not read, nothing is stored.
package final class DescriptorStore: Sendable {
    /// Longest name that systemd takes.
    package static let longestName = 255

    private let sender: DatagramSender

    /// Nil where no systemd listens. Errors: no descriptor is left.
    package init?() throws(Errno) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !path.isEmpty else { return nil }
        sender = try DatagramSender(to: path)
    }

    /// False where it was not sent. Whether there is room, systemd does not say.
    package func put(_ process: ProcessDescriptor, as name: String) -> Bool {
        guard DescriptorStore.isName(name) else { return false }
        return send("FDSTORE=1\nFDNAME=\(name)", with: process)
    }

    /// All that is stored under that name.
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
