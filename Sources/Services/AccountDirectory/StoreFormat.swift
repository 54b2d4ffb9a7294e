// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Identity

/// The lines of the account store. Version 1: the line with the generation, then one line for each account ever
/// enrolled, in the order of enrolment:
///
///     account NAME uid=N tenant=GUID object=GUID enrolled=SECONDS retired=SECONDS|- home=PATH shell=PATH
///         former=NAME,...|- gecos=TEXT [locked=SECONDS] [short=yes] [added=root]                   (all on one line)
///
/// In values, bytes outside printable ASCII, blanks and `%` are written `%XX`. There is only one way to write a line: a
/// line that does not come out the same when it is written again is refused.
enum StoreFormat {
    static let name = "entralogin-accounts"
    static let version = 1
    /// Limit of a line in bytes; the longest has fewer than 8,000 (32 former names of 113 bytes, threefold GECOS).
    static let lineLimit = 8192
    /// Limit of the file in bytes: a million accounts at about 350 bytes each.
    static let fileLimit = 512 << 20

    static func line(generation: UInt64) -> String { "generation \(generation)" }

    static func line(of enrolled: EnrolledAccount) -> String {
        var line: [UInt8] = []
        write(enrolled, to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    /// Appends that line without its line end. It works byte by byte and joins no strings: a change writes a hundred
    /// thousand lines, and a user's sign-in waits for it.
    static func write(_ enrolled: EnrolledAccount, to line: inout [UInt8]) {
        let account = enrolled.account
        append("account ", account.name.text, to: &line)
        append(" uid=", String(account.uid.number), to: &line)
        append(" tenant=", enrolled.identity.tenant.guid.text, to: &line)
        append(" object=", enrolled.identity.objectID.guid.text, to: &line)
        append(" enrolled=", String(enrolled.enrolledAt.seconds), to: &line)
        append(" retired=", enrolled.retiredAt.map { String($0.seconds) } ?? "-", to: &line)
        append(" home=", escaping: account.home, to: &line)
        append(" shell=", escaping: account.shell, to: &line)
        append(" former=", enrolled.formerNames.isEmpty ? "-" : "", to: &line)
        for (index, name) in enrolled.formerNames.enumerated() { append(index == 0 ? "" : ",", name.text, to: &line) }
        append(" gecos=", escaping: account.displayName, to: &line)
        if let lockedAt = enrolled.lockedAt { append(" locked=", String(lockedAt.seconds), to: &line) }
        if account.shortName != nil { append(" short=", "yes", to: &line) }
        if enrolled.isAdded { append(" added=", "root", to: &line) }
    }

    private static func append(_ key: String, _ value: String, to line: inout [UInt8]) {
        line.append(contentsOf: key.utf8)
        line.append(contentsOf: value.utf8)
    }

    private static func append(_ key: String, escaping value: String, to line: inout [UInt8]) {
        line.append(contentsOf: key.utf8)
        let bytes = value.utf8.span
        for index in bytes.indices {
            let byte = bytes[index]
            guard mustBeEscaped(byte) else {
                line.append(byte)
                continue
            }
            append("%", Hexadecimal.encode([byte]), to: &line)
        }
    }

    static func generation(from line: Substring) -> UInt64? {
        guard line.hasPrefix("generation "), let number = UInt64(line.dropFirst(11)) else { return nil }
        return line == self.line(generation: number) ? number : nil
    }

    /// Nil for anything but a line that `line(of:)` makes from a valid account.
    static func account(from line: Substring) -> EnrolledAccount? {
        guard line.utf8.count <= lineLimit else { return nil }
        var fields = line.split(separator: " ", omittingEmptySubsequences: false)
        let isAdded = fields.last == "added=root"
        if isAdded { fields.removeLast() }
        let isShort = fields.last == "short=yes"
        if isShort { fields.removeLast() }
        var keys = ["uid", "tenant", "object", "enrolled", "retired", "home", "shell", "former", "gecos"]
        if fields.count == keys.count + 3 { keys.append("locked") }
        guard fields.count == keys.count + 2, fields[0] == "account", let name = UserName(String(fields[1])) else {
            return nil
        }
        var values: [Substring] = []
        for (key, field) in zip(keys, fields.dropFirst(2)) {
            guard field.hasPrefix(key + "=") else { return nil }
            values.append(field.dropFirst(key.count + 1))
        }
        guard let enrolled = account(named: name, values, isShort: isShort, isAdded: isAdded) else { return nil }
        return line.utf8.elementsEqual(self.line(of: enrolled).utf8) ? enrolled : nil
    }

    private static func account(
        named name: UserName,
        _ values: [Substring],
        isShort: Bool,
        isAdded: Bool
    ) -> EnrolledAccount? {
        let shortName = isShort ? ShortName(name.localPart) : nil
        guard let uid = UInt32(values[0]).flatMap(PosixID.init(user:)), let tenant = TenantID(values[1]),
            let objectID = ObjectID(values[2]), let enrolledAt = Int64(values[3]),
            let home = unescaped(values[5]), HomePath.isAcceptable(home),
            let shell = unescaped(values[6]), isAcceptable(shell: shell),
            let displayName = unescaped(values[8]), DisplayName.isAcceptable(displayName)
        else { return nil }
        var formerNames: [UserName] = []
        for former in values[7] == "-" ? [] : values[7].split(separator: ",") {
            guard let former = UserName(String(former)) else { return nil }
            formerNames.append(former)
        }
        guard formerNames.count <= AccountTable.formerNameLimit else { return nil }
        return EnrolledAccount(
            account: Account(
                name: name,
                uid: uid,
                displayName: displayName,
                home: home,
                shell: shell,
                shortName: shortName
            ),
            identity: DirectoryIdentity(tenant: tenant, objectID: objectID),
            enrolledAt: UnixTime(seconds: enrolledAt),
            retiredAt: values[4] == "-" ? nil : Int64(values[4]).map(UnixTime.init(seconds:)),
            formerNames: formerNames,
            lockedAt: values.count > 9 ? Int64(values[9]).map(UnixTime.init(seconds:)) : nil,
            isAdded: isAdded
        )
    }

    /// An absolute path that is valid in passwd(5): at most 255 bytes, no colon, blank or control character.
    static func isAcceptable(shell: String) -> Bool {
        shell.utf8.count > 1 && shell.utf8.count <= 255 && shell.hasPrefix("/")
            && shell.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ":") }
    }

    private static func mustBeEscaped(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte >= 0x7f || byte == UInt8(ascii: "%")
    }

    private static func unescaped(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = try? Hexadecimal.decode(Substring(digits)) else { return nil }
            bytes += value
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
