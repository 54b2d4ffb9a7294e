// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Identity
import LinuxSystem
import TestSupport
import Testing

@Suite struct GroupNumberStoreTests {
    private let folder = TemporaryFolder()
    private let disk = Disk()

    private var mark: GroupNumberMark { GroupNumberMark(disk.file("\(folder.path)/groups-given")) }
    private var store: GroupNumberStore { GroupNumberStore(disk.file("\(folder.path)/groups"), mark: mark) }

    private func numbers(_ count: Int) throws -> GroupNumbers {
        var numbers = GroupNumbers()
        for number in 1...count {
            let identity = try identity(number)
            _ = numbers.bind(GroupNumbers.Group(tenant: identity.tenant, objectID: identity.objectID))
        }
        return numbers
    }

    @Test("P5: what was saved is read back, in the order in which it was given")
    func readBack() throws {
        #expect(try store.load().bindings.isEmpty)
        let numbers = try numbers(50)
        try store.save(numbers)
        let found = try store.load()
        #expect(found == numbers && found.bindings.map(\.gid) == numbers.bindings.map(\.gid))
    }

    @Test("P14: no damaged store is taken for another one, and none for an empty one")
    func damaged() throws {
        let bytes = store.bytes(of: try numbers(3))
        for length in 0..<bytes.count {
            #expect(throws: StoreFault.self) { try store.numbers(of: Array(bytes.prefix(length))) }
        }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(throws: StoreFault.self, "byte \(index)") { try store.numbers(of: damaged) }
        }
    }

    @Test(
        "P5: a mark that is not one as it is written is a fault, and so is a store behind it; one that is behind follows"
    )
    func marks() throws {
        try store.save(numbers(2))
        let last = GroupNumbers.range.lowerBound + 1
        #expect(try mark.load() == last)
        let path = AtomicFile("\(folder.path)/groups-given")
        let bytes = try path.read(limit: 1 << 10)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            try path.replace(with: damaged, mode: 0o600)
            #expect(throws: StoreFault.self, "byte \(index)") { try store.load() }
        }
        try mark.save(last + 1)
        #expect(throws: StoreFault.self) { try store.load() }
        try mark.save(last - 1)
        #expect(try store.load().bindings.count == 2 && mark.load() == last)
        try path.remove()
        #expect(try store.load().bindings.count == 2 && mark.load() == last)
    }

    @Test("P14: a disk that fails at any step leaves the numbers of before, or the new ones")
    func fullDisk() throws {
        let (before, after) = (try numbers(2), try numbers(3))
        for step in 0..<20 {
            disk.fail(at: nil)
            try store.save(before)
            disk.fail(at: step)
            let isSaved = (try? store.save(after)) != nil
            disk.fail(at: nil)
            let found = try store.load()
            #expect(isSaved ? found == after : found == before || found == after, "step \(step)")
        }
    }
}
