// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// One account as Microsoft's packages keep it.
struct OldAccount: Hashable, Sendable {
    var name: UserName
    var objectID: ObjectID
    /// Its private group has the same number.
    var uid: UInt32
    var displayName: String
    var home: String
    var shell: String
    /// `file:line`.
    var place: String
}

/// /etc/aadpasswd: `upn:oid:uid:gid:name:home:shell`, gid equal to uid (Documentation/azure.md, seen).
struct OldAccountFile: Sendable {
    static let path = "/etc/aadpasswd"
    static let lineLimit = 4096
    static let accountLimit = 10_000

    private(set) var accounts: [OldAccount] = []
    /// Every line of another form, and why it is rejected.
    private(set) var problems: [MigrationConflict] = []

    init(_ text: String) {
        for (index, line) in text.lines.enumerated() where !line.isEmpty && line.first != "#" {
            let place = "\(OldAccountFile.path):\(index + 1)"
            guard accounts.count < OldAccountFile.accountLimit else {
                problems.append(OldAccountFile.flaw(place, "more than \(OldAccountFile.accountLimit) accounts"))
                return
            }
            do throws(Flaw) { accounts.append(try OldAccountFile.account(line, place)) } catch {
                problems.append(OldAccountFile.flaw(place, error.text))
            }
        }
    }

    private struct Flaw: Error { var text: String }

    private static func flaw(_ place: String, _ text: String) -> MigrationConflict {
        MigrationConflict(place: place, text: text, remedy: "fix or remove the line; then ask for the plan again")
    }

    private static func account(_ line: Substring, _ place: String) throws(Flaw) -> OldAccount {
        guard line.utf8.count <= lineLimit else { throw Flaw(text: "longer than \(lineLimit) bytes") }
        let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 7 else { throw Flaw(text: "\(fields.count) fields instead of seven") }
        guard let name = UserName(folding: fields[0]) else { throw Flaw(text: "the name can be none of Entra's") }
        guard let objectID = ObjectID(fields[1]) else { throw Flaw(text: "the object id is no GUID") }
        guard let uid = number(fields[2]), let gid = number(fields[3]) else {
            throw Flaw(text: "uid or gid is no number")
        }
        guard uid == gid else { throw Flaw(text: "gid \(gid) is not uid \(uid)") }
        guard DisplayName.isAcceptable(fields[4]) else { throw Flaw(text: "the display name has controls in it") }
        guard HomePath.isAcceptable(fields[5]) else { throw Flaw(text: "the home is no path that a home may have") }
        let isPlain = fields[6].utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        guard fields[6].hasPrefix("/"), isPlain, fields[6].utf8.count <= 255 else {
            throw Flaw(text: "the shell is no absolute path")
        }
        return OldAccount(
            name: name,
            objectID: objectID,
            uid: uid,
            displayName: fields[4],
            home: fields[5],
            shell: fields[6],
            place: place
        )
    }

    /// Digits only, without leading zeros.
    private static func number(_ text: String) -> UInt32? {
        guard let number = UInt32(text), String(number) == text else { return nil }
        return number
    }
}
