// SPDX-License-Identifier: Apache-2.0

import CWire
import Glibc
import Identity
import NSS
import TestSupport
import Testing

@Suite("NSS: the published accounts")
struct NSSTests {
    static let users = ENTRALOGIN_ID_FIRST
    static let administrators = ENTRALOGIN_ID_FIRST + 1

    @Test("A passwd record fits exactly, or asks for more, at every length of the buffer")
    func passwdLengths() throws {
        let published = try Published()
        for account in published.accounts {
            let record = PasswdRecord(account)
            let needed =
                record.name.utf8.count + record.gecos.utf8.count + record.home.utf8.count
                + record.shell.utf8.count + 7
            for size in 0...needed + 8 {
                let expected: Published.Passwd = size < needed ? .tooSmall : .found(record)
                #expect(published.passwd(record.name, size: size) == expected)
                #expect(published.passwd(uid: record.uid, size: size) == expected)
            }
        }
    }

    @Test("A group fits, or asks for more, at every length and every alignment of the buffer")
    func groupLengths() throws {
        let published = try Published(administrators: [0: .max, 2: .max])
        let names = published.accounts.map(\.name.text)
        let groups = [
            GroupRecord(name: "entra_users", gid: Self.users),
            GroupRecord(name: "entra_admins", gid: Self.administrators),
            GroupRecord(name: names[1], gid: published.accounts[1].uid.number),
        ]
        for group in groups {
            for skew in 0..<8 {
                let needed = group.name.utf8.count + 3 + 8
                var fits = false
                for size in 0...needed + 8 {
                    let answer = published.group(group.name, size: size, skew: skew)
                    #expect(answer == (answer.status == NSS_STATUS_SUCCESS ? .found(group) : .tooSmall))
                    #expect(!fits || answer.status == NSS_STATUS_SUCCESS, "a larger buffer fits too")
                    fits = answer.status == NSS_STATUS_SUCCESS
                }
                #expect(fits, "eight bytes more than the strings and the empty list are enough")
            }
            #expect(published.group(gid: group.gid) == .found(group))
        }
    }

    @Test("A record is the same at every alignment of the buffer")
    func passwdAlignments() throws {
        let published = try Published()
        let record = PasswdRecord(published.accounts[0])
        for skew in 0..<8 { #expect(published.passwd(record.name, skew: skew) == .found(record)) }
    }

    @Test("The shared groups name no members, however many they have, and fit into the smallest buffers")
    func withoutMembers() throws {
        let published = try Published(count: 10_000, administrators: [0: .max, 9_999: .max])
        let groups = [("entra_users", Self.users), ("entra_admins", Self.administrators)]
        for (name, gid) in groups {
            #expect(published.group(name, size: 64) == .found(GroupRecord(name: name, gid: gid)))
            #expect(published.group(gid: gid, size: 64) == .found(GroupRecord(name: name, gid: gid)))
        }
        let last = published.accounts[9_999]
        let both = published.initgroups(last.name.text, primary: last.uid.number).groups
        #expect(both == [Self.users, Self.administrators], "what makes somebody a member")
    }

    @Test("A name of every legal length is found, and none that is longer")
    func nameLengths() throws {
        let names = (3...113).map { length in
            let domain = min(48, max(1, length - 2))
            return String(repeating: "n", count: length - domain - 1) + "@" + String(repeating: "d", count: domain)
        }
        let accounts = try names.enumerated().map { number, name in
            Account(
                name: try #require(UserName(name)),
                uid: try #require(PosixID(user: PosixID.userRange.lowerBound + UInt32(number))),
                displayName: "",
                home: "/home/\(name)",
                shell: "/bin/sh"
            )
        }
        let published = try Published(of: accounts)
        for account in accounts {
            #expect(published.passwd(account.name.text) == .found(PasswdRecord(account)))
            #expect(published.group(account.name.text).record?.gid == account.uid.number)
        }
        let long = try #require(names.last)
        #expect(published.passwd("n" + long) == .notFound && published.passwd(long + "d") == .notFound)
    }

    @Test("P8: Names and ids that cannot be an Entra account's are not found, whatever the files are")
    func foreign() throws {
        let published = try Published()
        published.folder.write([1, 2, 3], to: "accounts")
        for name in ["root", "nobody", "", "PERSON0@contoso.com", "person0@contoso.com:", "sudo", "wheel"] {
            #expect(published.passwd(name) == .notFound)
            #expect(published.group(name) == .notFound)
            #expect(published.initgroups(name, primary: 0).status == NSS_STATUS_NOTFOUND)
        }
        for id: UInt32 in [0, 1, 1_000, 65_534, .max, ENTRALOGIN_ID_FIRST + 2, ENTRALOGIN_ID_LAST + 1] {
            #expect(published.passwd(uid: id) == .notFound)
            #expect(published.group(gid: id) == .notFound)
        }
        #expect(published.passwd(uid: Self.users) == .notFound, "a group's number is nobody's uid")
    }

    @Test("A membership that has expired, or of another boot, is none")
    func expiry() throws {
        let published = try Published(administrators: [0: 1, 1: .max])
        let person = published.accounts[1]
        let everybody = (NSS_STATUS_SUCCESS, [Self.users])
        let administrator = (NSS_STATUS_SUCCESS, [Self.users, Self.administrators])
        let ask = { (number: Int) in
            let account = published.accounts[number]
            return published.initgroups(account.name.text, primary: account.uid.number)
        }
        #expect(ask(0) == everybody && ask(1) == administrator && ask(2) == everybody)
        published.writeGrants([person.uid.number: .max], boot: "ffffffff-4455-6677-8899-aabbccddeeff")
        #expect(ask(1) == everybody)
        unlink(published.folder("boot_id"))
        published.writeGrants([person.uid.number: .max])
        #expect(ask(1) == everybody, "which boot this is cannot be told")
    }

    @Test("Any number of grants is searched to the right one")
    func manyGrants() throws {
        let published = try Published(count: 400)
        let granted = published.accounts.enumerated().filter { $0.offset % 3 == 0 }.map(\.element)
        published.writeGrants(Dictionary(uniqueKeysWithValues: granted.map { ($0.uid.number, UInt64.max) }))
        for (number, account) in published.accounts.enumerated() {
            let groups = published.initgroups(account.name.text, primary: account.uid.number).groups
            #expect(groups == (number % 3 == 0 ? [Self.users, Self.administrators] : [Self.users]))
        }
    }

    @Test("P13: A damaged file of grants makes nobody an administrator who is not")
    func damagedGrants() throws {
        let published = try Published(administrators: [0: .max])
        let other = published.accounts[1]
        let path = published.folder("grants")
        var bytes = [UInt8](repeating: 0, count: 80)
        let descriptor = open(path, O_RDONLY)
        #expect(read(descriptor, &bytes, 81) == 80)
        close(descriptor)
        for index in bytes.indices {
            for change: UInt8 in [1, 7, 0x80] {
                var damaged = bytes
                damaged[index] ^= change
                published.folder.write(damaged, to: "grants")
                #expect(published.initgroups(other.name.text, primary: other.uid.number).groups == [Self.users])
            }
        }
    }

    @Test("initgroups adds each group once, keeps what was there, and heeds the caller's limit")
    func initgroups() throws {
        let published = try Published(administrators: [0: .max])
        let account = published.accounts[0]
        let ask = { (before: [UInt32], size: Int, limit: Int) in
            published.initgroups(
                account.name.text,
                primary: account.uid.number,
                before: before,
                size: size,
                limit: limit
            ).groups
        }
        #expect(ask([], 1, -1) == [Self.users, Self.administrators])
        #expect(ask([7], 1, 0) == [7, Self.users, Self.administrators])
        #expect(ask([7, Self.users], 2, -1) == [7, Self.users, Self.administrators])
        #expect(ask([7], 1, 1) == [7])
        #expect(ask([7], 1, 2) == [7, Self.users])
        #expect(ask([7], 8, 3) == [7, Self.users, Self.administrators])
    }

    @Test(
        "P7: A caller whose primary group is another's holds a local account of that name, and gets none of the groups"
    )
    func localAccountOfThatName() throws {
        let published = try Published(administrators: [0: .max])
        let name = published.accounts[0].name.text
        #expect(published.initgroups(name, primary: 1_000) == (NSS_STATUS_NOTFOUND, []))
        #expect(published.initgroups(name, primary: 0) == (NSS_STATUS_NOTFOUND, []))
        // nscd does not know the primary group.
        #expect(published.initgroups(name, primary: .max).groups == [Self.users, Self.administrators])
    }

    @Test("Enumeration gives every account and every group once, and an entry that did not fit again")
    func enumeration() throws {
        let published = try Published(count: 40, administrators: [5: .max])
        var cursor: UInt64 = 0
        for account in published.accounts {
            #expect(published.nextPasswd(&cursor, size: 10) == .tooSmall)
            #expect(published.nextPasswd(&cursor) == .found(PasswdRecord(account)))
        }
        #expect(published.nextPasswd(&cursor) == .notFound)
        cursor = 0
        var groups: [String] = []
        while let group = published.nextGroup(&cursor).record { groups.append(group.name) }
        #expect(groups == ["entra_users", "entra_admins"] + published.accounts.map(\.name.text))
        #expect(published.nextGroup(&cursor) == .notFound)
    }

    @Test("Enumeration goes on in a newer file, and ends")
    func republishedMeanwhile() throws {
        let published = try Published(count: 10)
        var cursor: UInt64 = 0
        for _ in 0..<5 { _ = published.nextPasswd(&cursor) }
        let newer = try Published(count: 6)
        rename(newer.folder("accounts"), published.folder("accounts"))
        #expect(published.nextPasswd(&cursor) == .found(PasswdRecord(newer.accounts[5])))
        #expect(published.nextPasswd(&cursor) == .notFound)
    }

    @Test("Enumeration is off unless the file says otherwise")
    func enumerationOff() throws {
        let published = try Published(enumerate: false)
        var cursor: UInt64 = 0
        #expect(published.nextPasswd(&cursor) == .notFound && published.nextGroup(&cursor) == .notFound)
        #expect(published.passwd(published.accounts[0].name.text).status == NSS_STATUS_SUCCESS)
    }
}
