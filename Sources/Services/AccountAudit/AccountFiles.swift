// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// The accounts of /etc/passwd with their passwords' state from /etc/shadow (passwd(5), shadow(5)). A line of another
/// form is not an account but a problem: a more lenient program may let a user sign in by it.
struct AccountFiles: Sendable {
    enum Password: Hashable, Sendable {
        /// No password matches.
        case locked
        case empty
        case set
    }

    struct Entry: Hashable, Sendable {
        var name: String
        var uid: UInt32
        var home: String
        var shell: String
        var password: Password
        /// The password field begins with an exclamation mark: without PAM, sshd accepts no key either.
        var isMarkedLocked: Bool
        /// The account expired before today: no sign-in is possible.
        var isExpired: Bool
    }

    static let passwd = "/etc/passwd"
    static let shadow = "/etc/shadow"
    static let lineLimit = 4096
    static let accountLimit = 10_000

    private(set) var entries: [Entry] = []
    private(set) var problems: [AuditProblem] = []
    private var secrets: [String: (password: Substring, expires: Int64?)] = [:]

    /// `today`: days since 1970. Without `shadow`, the password field of passwd counts.
    init(passwd: String, shadow: String?, today: Int64) {
        if let shadow { readShadow(shadow) }
        var names: Set<String> = []
        for (index, line) in passwd.lines.enumerated() where !AccountFiles.isSkipped(line) {
            let place = "\(AccountFiles.passwd):\(index + 1)"
            guard entries.count < AccountFiles.accountLimit else {
                let text = "more than \(AccountFiles.accountLimit) accounts: the rest was not read"
                problems.append(AuditProblem(place, text))
                return
            }
            guard let entry = entry(line, today: today) else {
                problems.append(AuditProblem(place, "not a line of passwd(5)"))
                continue
            }
            guard names.insert(entry.name).inserted else {
                problems.append(AuditProblem(place, "a second account called \(entry.name)"))
                continue
            }
            entries.append(entry)
        }
    }

    private static func isSkipped(_ line: Substring) -> Bool { line.isEmpty || line.first == "#" }

    private static func fields(of line: Substring, count: Int) -> [Substring]? {
        guard line.utf8.count <= lineLimit else { return nil }
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == count, let name = fields.first, !name.isEmpty, !"+-".contains(name.first ?? "+") else {
            return nil
        }
        return fields
    }

    private mutating func readShadow(_ text: String) {
        for (index, line) in text.lines.enumerated() where !AccountFiles.isSkipped(line) {
            let place = "\(AccountFiles.shadow):\(index + 1)"
            // The day on which the account ends is the eighth field; empty and negative mean never.
            guard let fields = AccountFiles.fields(of: line, count: 9),
                let expires = fields[7].isEmpty ? -1 : Int64(fields[7])
            else {
                problems.append(AuditProblem(place, "not a line of shadow(5)"))
                continue
            }
            guard secrets[String(fields[0])] == nil else {
                problems.append(AuditProblem(place, "a second line for \(fields[0])"))
                continue
            }
            secrets[String(fields[0])] = (fields[1], expires < 0 ? nil : expires)
        }
    }

    private func entry(_ line: Substring, today: Int64) -> Entry? {
        guard let fields = AccountFiles.fields(of: line, count: 7), let uid = UInt32(fields[2]),
            UInt32(fields[3]) != nil
        else { return nil }
        let name = String(fields[0])
        let secret = secrets[name]
        // "x" refers to shadow; if that has no line for the account, no password matches.
        let password = fields[1] == "x" ? secret?.password ?? "*" : fields[1]
        return Entry(
            name: name,
            uid: uid,
            home: String(fields[5]),
            shell: fields[6].isEmpty ? "/bin/sh" : String(fields[6]),
            password: AccountFiles.password(password),
            isMarkedLocked: password.hasPrefix("!"),
            isExpired: secret?.expires.map { today > $0 } ?? false
        )
    }

    /// No hash begins with these two characters (crypt(5)); anything else counts as a hash.
    private static func password(_ field: Substring) -> Password {
        guard let first = field.first else { return .empty }
        return first == "!" || first == "*" ? .locked : .set
    }
}
