// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import CWire
import Glibc
import Identity
import NSS
import TestSupport
import Testing

/// Entra groups in the name service: what the published file gives to members, and what other users never get.
struct MappedGroupsTests {
    private static let users = ENTRALOGIN_USERS_GID
    private static let first = ENTRALOGIN_MAPPED_GID_FIRST
    private static let groups = [
        GroupSnapshot.Group(name: "developers_entra", gid: first),
        GroupSnapshot.Group(name: "ops_entra", gid: first + 5),
    ]

    private let published: Published

    init() throws {
        published = try Published(of: (0..<4).map(Published.account), mapsGroups: true)
        published.writeGroups(GroupSnapshot(groups: Self.groups))
    }

    private func write(_ number: Int, _ places: UInt64, expiry: UInt64 = .max, boot: String = Published.boot) {
        let people = [published.accounts[number].uid.number: GroupSnapshot.Person(expiry: expiry, places: places)]
        published.writeGroups(GroupSnapshot(groups: Self.groups, people: people), boot: boot)
    }

    private func groups(of number: Int) -> [UInt32] {
        let account = published.accounts[number]
        return published.initgroups(account.name.text, primary: account.uid.number).groups
    }

    @Test("a group has its name and number, and lists nobody; what is no group of the file is none")
    func names() {
        for group in Self.groups {
            let record = GroupRecord(name: group.name, gid: group.gid)
            #expect(published.group(group.name) == .found(record) && published.group(gid: group.gid) == .found(record))
            #expect(published.group(group.name, size: 4) == .tooSmall)
        }
        for name in ["others_entra", "developers_entr", "developers_entra2"] {
            #expect(published.group(name) == .notFound)
        }
        for gid in [Self.first + 1, Self.first - 1, ENTRALOGIN_UID_FIRST - 1] {
            #expect(published.group(gid: gid) == .notFound)
        }
    }

    @Test("P2: membership lasts until its end, in its boot, and for nobody else", arguments: [0, 3])
    func members(_ number: Int) {
        write(number, 0b11)
        #expect(groups(of: number) == [Self.users, Self.first, Self.first + 5])
        #expect(groups(of: 1) == [Self.users])
        write(number, 0b10)
        #expect(groups(of: number) == [Self.users, Self.first + 5])
        write(number, 0b11, expiry: 1)
        #expect(groups(of: number) == [Self.users])
        write(number, 0b11, boot: "00112233-4455-6677-8899-aabbccddee00")
        #expect(groups(of: number) == [Self.users])
        // A bit beyond the last group stands for no group.
        write(number, ~0b11)
        #expect(groups(of: number) == [Self.users])
    }

    @Test("an enumeration has them behind the two shared groups, once each, and goes on where their file is damaged")
    func enumeration() throws {
        let listed = try Published(of: (0..<3).map(Published.account), enumerate: true, mapsGroups: true)
        let rest = (0..<3).map { listed.accounts[$0].uid.number }
        let shared = [Self.users, ENTRALOGIN_ADMINS_GID]
        #expect(enumerate(listed) == shared + rest)
        listed.writeGroups(GroupSnapshot(groups: Self.groups))
        #expect(enumerate(listed) == shared + [Self.first, Self.first + 5] + rest)
        listed.folder.write([1, 2, 3], to: "groups")
        #expect(enumerate(listed) == shared + rest)
        let unlisted = try Published(of: (0..<3).map(Published.account), enumerate: false, mapsGroups: true)
        unlisted.writeGroups(GroupSnapshot(groups: Self.groups))
        #expect(enumerate(unlisted).isEmpty)
    }

    private func enumerate(_ published: Published) -> [UInt32] {
        published.withSources { sources in
            var (cursor, error, record): (UInt64, Int32, group) = (0, 0, group())
            var buffer = [CChar](repeating: 0, count: 1024)
            var gids: [UInt32] = []
            while entralogin_nss_group_next(&sources, &cursor, &record, &buffer, buffer.count, &error)
                == NSS_STATUS_SUCCESS, gids.count < 100
            {
                gids.append(record.gr_gid)
            }
            return gids
        }
    }

    @Test("without the flag nobody looks for the file, and without the file there is no group")
    func flag() throws {
        let off = try Published(of: (0..<2).map(Published.account))
        off.writeGroups(GroupSnapshot(groups: Self.groups))
        #expect(off.group("developers_entra") == .notFound && off.group(gid: Self.first) == .notFound)
        let on = try Published(of: (0..<2).map(Published.account), mapsGroups: true)
        #expect(on.group("developers_entra") == .notFound)
        #expect(on.initgroups(on.accounts[0].name.text, primary: on.accounts[0].uid.number).groups == [Self.users])
    }

    @Test("P13: no byte of the file that is another gives a membership or a group that was not there")
    func damaged() throws {
        let boot = try #require(BootID(Published.boot))
        let person = published.accounts[2].uid.number
        let snapshot = GroupSnapshot(groups: Self.groups, people: [person: .init(expiry: .max, places: 0b01)])
        let bytes = snapshot.bytes(boot: boot, generation: 1)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x5a
            published.folder.write(damaged, to: "groups")
            let found = published.withSources { sources in
                var start = 0
                var size = 1
                var error: Int32 = 0
                var groups = malloc(4)?.bindMemory(to: gid_t.self, capacity: 1)
                defer { free(groups) }
                let name = published.accounts[2].name.text
                _ = entralogin_nss_initgroups(&sources, name, person, &start, &size, &groups, -1, &error)
                return (0..<start).compactMap { groups?[$0] }
            }
            #expect(found == [Self.users] || found == [Self.users, Self.first], "byte \(index)")
        }
    }

    @Test("P14: the file of these groups and this boot is read back whole, and no other")
    func readBack() throws {
        let boot = try #require(BootID(Published.boot))
        let people = [published.accounts[2].uid.number: GroupSnapshot.Person(expiry: 7, places: 0b10)]
        let snapshot = GroupSnapshot(groups: Self.groups, people: people)
        let bytes = snapshot.bytes(boot: boot, generation: 9)
        let found = try #require(GroupSnapshot.read(bytes, boot: boot, of: Self.groups))
        #expect(found.snapshot == snapshot && found.generation == 9)
        #expect(GroupSnapshot.read(bytes, boot: boot, of: Self.groups.reversed()) == nil)
        #expect(GroupSnapshot.read(bytes, boot: boot, of: [Self.groups[0]]) == nil)
        for length in 0..<bytes.count {
            #expect(GroupSnapshot.read(Array(bytes.prefix(length)), boot: boot, of: Self.groups) == nil)
        }
        for index in bytes.indices where !(24..<32).contains(index) {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(GroupSnapshot.read(damaged, boot: boot, of: Self.groups) == nil, "byte \(index)")
        }
    }
}
