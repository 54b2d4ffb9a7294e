// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Systemd
import Testing

// Environment variables belong to the whole process, so each case runs in a process of its own.

/// A socket in the place of systemd's: `NOTIFY_SOCKET` points to it.
private struct FakeServiceManager: ~Copyable {
    private let socket: Descriptor

    init() {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Abstract, with a name that the kernel chooses: nothing to remove.
        let bound = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sa_family_t>.size))
            }
        }
        precondition(bound == 0)
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let named = withUnsafeMutableBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(socket, $0.baseAddress, &size) }
        }
        precondition(named == 0)
        let name = withUnsafeBytes(of: &address.sun_path) { path in
            String(decoding: path[1..<Int(size) - MemoryLayout<sa_family_t>.size], as: UTF8.self)
        }
        setenv("NOTIFY_SOCKET", "@\(name)", 1)
        self.socket = Descriptor(takingOwnership: socket)
    }

    /// Fills the socket of a manager that reads nothing; returns how many messages fit.
    borrowing func fill() -> Int {
        var sent = 0
        let name = getenv("NOTIFY_SOCKET").map { String(cString: $0) } ?? ""
        guard let sender = try? DatagramSender(to: name) else { return 0 }
        while (try? sender.send([1], with: nil)) != nil { sent += 1 }
        return sent
    }

    /// The next message and whether a descriptor came with it, which is closed.
    borrowing func heardWithDescriptor() -> (text: String, isAttached: Bool) {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var control = [UInt8](repeating: 0, count: 64)
        let number = socket.rawValue
        let (got, size) = bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return (recvmsg(number, &message, Int32(MSG_DONTWAIT)), message.msg_controllen)
                }
            }
        }
        let text = got < 0 ? "" : String(decoding: bytes[..<got], as: UTF8.self)
        guard size >= MemoryLayout<cmsghdr>.size + 4 else { return (text, false) }
        let attached = control.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: MemoryLayout<cmsghdr>.size, as: Int32.self)
        }
        return (text, close(attached) == 0)
    }

    /// The next message; empty if none has come.
    borrowing func heard() -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let got = recv(socket.rawValue, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return got < 0 ? "" : String(decoding: bytes[..<got], as: UTF8.self)
    }
}

private func monotonicMicroseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
}

@Suite struct ServiceNotifierTests {
    @Test func `systemd hears each state, with the status on one line`() async {
        await #expect(processExitsWith: .success) {
            let manager = FakeServiceManager()
            let notifier = ServiceNotifier()
            notifier.ready(status: "Serving 3 accounts\nREADY=0")
            let ready = manager.heard()
            #expect(ready == "READY=1\nSTATUS=Serving 3 accounts READY=0")
            notifier.status("Waiting for Azure")
            let status = manager.heard()
            #expect(status == "STATUS=Waiting for Azure")
            notifier.watchdog()
            let watchdog = manager.heard()
            #expect(watchdog == "WATCHDOG=1")
            notifier.stopping()
            let stopping = manager.heard()
            #expect(stopping == "STOPPING=1")
        }
    }

    @Test func `a reload carries the time of CLOCK_MONOTONIC`() async {
        await #expect(processExitsWith: .success) {
            let manager = FakeServiceManager()
            let before = monotonicMicroseconds()
            ServiceNotifier().reloading()
            let after = monotonicMicroseconds()
            let lines = manager.heard().split(separator: "\n").map(String.init)
            #expect(lines.first == "RELOADING=1")
            let time = try #require(lines.last?.split(separator: "=").last.flatMap { Int64($0) })
            #expect(before <= time && time <= after)
        }
    }

    @Test func `a session's process goes into systemd's store by its descriptor, and out of it by its name`() async {
        await #expect(processExitsWith: .success) {
            let manager = FakeServiceManager()
            let store = try #require(try DescriptorStore())
            let process = try ProcessDescriptor(pid: getpid())
            #expect(store.put(process, as: "session-1-7"))
            let put = manager.heardWithDescriptor()
            #expect(put.text == "FDSTORE=1\nFDNAME=session-1-7" && put.isAttached)
            #expect(store.remove("session-1-7"))
            let removed = manager.heardWithDescriptor()
            #expect(removed.text == "FDSTOREREMOVE=1\nFDNAME=session-1-7" && !removed.isAttached)
            for name in ["", "a:b", "a\nREADY=1", "\u{e9}", String(repeating: "x", count: 256)] {
                #expect(!store.put(process, as: name) && !store.remove(name))
            }
            let nothing = manager.heard()
            #expect(nothing.isEmpty)
        }
    }

    @Test func `where systemd does not read, storing fails at once and waits for nothing`() async {
        await #expect(processExitsWith: .success) {
            let manager = FakeServiceManager()
            let store = try #require(try DescriptorStore())
            let process = try ProcessDescriptor(pid: getpid())
            #expect(manager.fill() > 0)
            #expect(!store.put(process, as: "session") && !store.remove("session"))
        }
    }

    @Test func `without systemd nothing is said and nothing fails`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            unsetenv("WATCHDOG_USEC")
            ServiceNotifier().ready(status: "up")
            ServiceNotifier().watchdog()
            #expect(ServiceNotifier().watchdogInterval == nil)
            #expect(InheritedSockets.take().isEmpty)
            let store = try DescriptorStore()
            #expect(store == nil)
        }
    }

    @Test func `half of the watchdog's time is the interval`() async {
        await #expect(processExitsWith: .success) {
            setenv("WATCHDOG_USEC", "30000000", 1)
            setenv("WATCHDOG_PID", String(getpid()), 1)
            #expect(ServiceNotifier().watchdogInterval == .seconds(15))
            setenv("WATCHDOG_PID", "1", 1)
            #expect(ServiceNotifier().watchdogInterval == nil)
        }
    }

    @Test func `inherited sockets come by name, once, and are meant for this process only`() async {
        await #expect(processExitsWith: .success) {
            // A number that is in use may be free a moment later: other threads of this process use descriptors, too.
            var sockets: [(name: String, descriptor: Int32)] = []
            for _ in 0..<100 where sockets.isEmpty {
                for number in [3, 4] as [Int32] where fcntl(number, F_GETFD) < 0 { #expect(dup2(2, number) == number) }
                setenv("LISTEN_FDS", "2", 1)
                setenv("LISTEN_FDNAMES", "control:principals", 1)
                setenv("LISTEN_PID", String(getpid()), 1)
                sockets = InheritedSockets.take()
            }
            #expect(sockets.map(\.name) == ["control", "principals"])
            #expect(sockets.map(\.descriptor) == [3, 4])
            #expect(fcntl(3, F_GETFD) & FD_CLOEXEC != 0)
            #expect(InheritedSockets.take().isEmpty)
            setenv("LISTEN_FDS", "2", 1)
            setenv("LISTEN_PID", "1", 1)
            #expect(InheritedSockets.take().isEmpty)
        }
    }

    @Test func `somebody whom logind does not know has no session`() {
        #expect(!LoginSessions.exist(for: 2_000_000_000))
    }
}
