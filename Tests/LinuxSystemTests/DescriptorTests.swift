// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Testing

/// What a descriptor refers to: /proc names the pipe's inode, so a number that another thread reuses is recognized.
private func target(of number: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: 256)
    let count = readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

private func makePipe() -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0)
    return (ends[0], ends[1])
}

@Suite struct DescriptorTests {
    @Test func `a descriptor is closed when its owner lets go of it`() {
        let ends = makePipe()
        defer { close(ends.write) }
        let name = target(of: ends.read)
        do {
            let descriptor = Descriptor(takingOwnership: ends.read)
            #expect(target(of: descriptor.rawValue) == name)
        }
        #expect(target(of: ends.read) != name)
    }

    @Test func `a released descriptor stays open`() {
        let ends = makePipe()
        defer { close(ends.write) }
        let name = target(of: ends.read)
        let descriptor = Descriptor(takingOwnership: ends.read)
        let number = descriptor.release()
        #expect(target(of: number) == name)
        close(number)
    }

    @Test func `closing twice is impossible, and closing a number that is gone is an error`() throws {
        let ends = makePipe()
        try Descriptor(takingOwnership: ends.read).close()
        try Descriptor(takingOwnership: ends.write).close()
        // Far above any number in use, so that no other thread's descriptor is closed.
        #expect(throws: Errno(EBADF)) { try Descriptor(takingOwnership: 1_000_000_000).close() }
    }

    @Test func `an opened descriptor does not survive exec`() throws {
        let descriptor = try Descriptor.open("/", O_RDONLY)
        #expect(fcntl(descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        #expect(throws: Errno.noEntry) { try { _ = try Descriptor.open("/nowhere/at/all", O_RDONLY) }() }
    }
}
