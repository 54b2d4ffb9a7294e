// SPDX-License-Identifier: Apache-2.0

import CSnapshot
import Glibc

/// What the name service's C reader finds in a published file: an implementation independent of the writer.
struct PublishedAccounts {
    struct Record: Hashable {
        var uid: UInt32
        var gid: UInt32
        var name: String
        var gecos: String
        var home: String
        var shell: String
    }

    var generation: UInt64 = 0
    var count: UInt32 = 0
    var enumerates = false
    var usersGroup = ""
    var administratorsGroup = ""
    /// In the order of the file.
    var all: [Record] = []
    var byName: [String: Record] = [:]
    var byUID: [UInt32: Record] = [:]

    /// Nil if the reader does not accept the file.
    init?(_ path: String, asking names: [String] = [], uids: [UInt32] = []) {
        var window = [UInt8](repeating: 0, count: 8192)
        let done = window.withUnsafeMutableBytes { window -> Bool in
            var accounts = entralogin_accounts()
            guard
                entralogin_accounts_open(&accounts, path, nil, window.baseAddress, window.count) == ENTRALOGIN_FOUND
            else {
                return false
            }
            read(&accounts, names, uids)
            entralogin_accounts_close(&accounts)
            return true
        }
        guard done else { return nil }
    }

    private mutating func read(_ accounts: inout entralogin_accounts, _ names: [String], _ uids: [UInt32]) {
        generation = accounts.generation
        count = accounts.count
        enumerates = accounts.flags & ENTRALOGIN_ENUMERATE != 0
        usersGroup = text(accounts.users_group)
        administratorsGroup = text(accounts.administrators_group)
        var found = entralogin_record()
        var position: UInt32 = 0
        while entralogin_accounts_next(&accounts, &position, &found) == ENTRALOGIN_FOUND { all.append(record(found)) }
        for name in names
        where entralogin_accounts_by_name(&accounts, name, name.utf8.count, &found) == ENTRALOGIN_FOUND {
            byName[name] = record(found)
        }
        for uid in uids where entralogin_accounts_by_uid(&accounts, uid, &found) == ENTRALOGIN_FOUND {
            byUID[uid] = record(found)
        }
    }

    private func record(_ record: entralogin_record) -> Record {
        Record(
            uid: record.uid,
            gid: record.gid,
            name: text(record.name),
            gecos: text(record.gecos),
            home: text(record.home),
            shell: text(record.shell)
        )
    }

    private func text(_ text: entralogin_text) -> String {
        guard let bytes = text.bytes else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: text.length), as: UTF8.self)
    }
}
