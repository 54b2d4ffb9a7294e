// SPDX-License-Identifier: Apache-2.0

/// A mapped account and its record in /etc/passwd.
package struct MappedAccount: Hashable, Sendable {
    package let person: MappedPerson
    package let home: String
    package let shell: String
}

/// The mapped accounts: those of root's list on which /etc/passwd and /etc/group agree with it. All others in the list
/// are refused, whatever the difference is.
struct LocalMappings: Sendable {
    private(set) var accounts: [UserName: MappedAccount] = [:]
    /// The accounts in the list on which the files do not agree with it (mapping mismatch), and why.
    private(set) var mismatches: [UserName: String] = [:]

    init() {}

    /// `users` and `groups`: the fields of each line.
    init(_ list: MappingList, users: [[String]], groups: [[String]]) {
        guard !list.people.isEmpty else { return }
        let byName = Dictionary(grouping: users) { $0[0].lowercased() }
        let byNumber = Dictionary(grouping: users) { $0.count > 2 ? $0[2] : "" }
        let byHome = Dictionary(grouping: users) { $0.count > 5 ? HomePath.normalized($0[5]) : "" }
        for person in list.people {
            do throws(Difference) {
                let record = try Self.only(byName[person.name.text], "the name \(person.name)")
                let account = try Self.account(person, record)
                _ = try Self.only(byNumber[String(person.uid)], "the number \(person.uid)")
                _ = try Self.only(byHome[HomePath.normalized(account.home)], "the home \(account.home)")
                try Self.check(groups, person)
                accounts[person.name] = account
            } catch {
                mismatches[person.name] = error.text
            }
        }
    }

    private struct Difference: Error { var text: String }

    private static func only(_ lines: [[String]]?, _ what: String) throws(Difference) -> [String] {
        guard let line = lines?.first else { throw Difference(text: "/etc/passwd has no line with \(what)") }
        guard lines?.count == 1 else { throw Difference(text: "/etc/passwd has \(what) more than once") }
        return line
    }

    /// name:password:uid:gid:gecos:home:shell
    private static func account(_ person: MappedPerson, _ record: [String]) throws(Difference) -> MappedAccount {
        let number = String(person.uid)
        guard record.count == 7, record[0] == person.name.text else {
            throw Difference(text: "the line of \(person.name) in /etc/passwd is not as passwd(5) says")
        }
        guard record[2] == number, record[3] == number else {
            throw Difference(text: "/etc/passwd has another uid or gid for \(person.name) than \(number)")
        }
        // PAM goes by this mark where it cannot read the list: without the mark it could accept a certificate and not
        // ask for the role.
        guard record[1] == MappingList.mark else {
            throw Difference(text: "the password field of \(person.name) in /etc/passwd is not \(MappingList.mark)")
        }
        guard HomePath.isAcceptable(record[5]), record[6].hasPrefix("/") else {
            throw Difference(text: "/etc/passwd has no home or shell for \(person.name) that an Entra account can have")
        }
        return MappedAccount(person: person, home: record[5], shell: record[6])
    }

    /// The private group, if there is one, has the account's name and number; no other group has either.
    private static func check(_ groups: [[String]], _ person: MappedPerson) throws(Difference) {
        let number = String(person.uid)
        for group in groups {
            let isNamed = group[0].lowercased() == person.name.text
            let isNumbered = group.count > 2 && group[2] == number
            guard isNamed == isNumbered else {
                let what = isNamed ? person.name.text : number
                throw Difference(text: "/etc/group has \(what) with another number or name")
            }
        }
    }
}
