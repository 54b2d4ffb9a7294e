// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Identity

/// Why a value is not accepted, as text that follows "Key=: ".
struct SettingsFlaw: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

/// Converts text to values. The limits of settings are here, except those of time spans (`SettingsKey`).
enum SettingsValue {
    /// A host reached by TLS: this exchange decides who can sign in, so never plain HTTP and never a path.
    static func endpoint(_ text: String) throws(SettingsFlaw) -> String? {
        guard text.hasPrefix("https://"), isAuthority(text.dropFirst("https://".count)) else {
            throw SettingsFlaw("must be https://host or https://host:port, without a path")
        }
        return text
    }

    /// By address: with a name, DNS would decide which machine this is.
    static func metadataEndpoint(_ text: String) throws(SettingsFlaw) -> String {
        let flaw = SettingsFlaw("must be http:// and an IPv4 address, maybe a port, without a path")
        guard text.hasPrefix("http://") else { throw flaw }
        let authority = text.dropFirst("http://".count)
        let host = authority.split(separator: ":", maxSplits: 1).first ?? ""
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        guard isAuthority(authority), numbers.count == 4, numbers.allSatisfy({ UInt8($0) != nil }) else { throw flaw }
        return text
    }

    static func proxy(_ text: String) throws(SettingsFlaw) -> String? {
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else {
            throw SettingsFlaw("must begin with http:// or https://")
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), isAuthority(authority) else {
            throw SettingsFlaw("must be a URL with a host and no path")
        }
        return text
    }

    /// `host` or `host:port`.
    private static func isAuthority(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, isDomain(String(host)) else { return false }
        return parts.count == 1 || UInt16(parts[1]).map { $0 > 0 } ?? false
    }

    private static func isDomain(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    static func hosts(_ text: String) throws(SettingsFlaw) -> String? {
        let allowed = Set(".-:*/,[] ".utf8)
        guard text.utf8.allSatisfy({ isLetterOrDigit($0) || allowed.contains($0) }) else {
            throw SettingsFlaw("must be host names, addresses or networks, separated by commas")
        }
        return text
    }

    static func domains(_ text: String) throws(SettingsFlaw) -> [String] {
        let words = words(text)
        if words == ["any"] { return [] }
        for word in words where !isDomain(word) { throw SettingsFlaw("\(quoted(word)) is not a domain") }
        return words.map { $0.lowercased() }
    }

    /// One domain, with at most as many bytes as a user principal name allows.
    static func domain(_ text: String) throws(SettingsFlaw) -> String? {
        guard isDomain(text), text.contains("."), text.utf8.count <= 48, UserName(folding: "a@\(text)") != nil else {
            throw SettingsFlaw("\(quoted(text)) is not a domain")
        }
        return text.lowercased()
    }

    static func guid(_ text: String) throws(SettingsFlaw) -> GUID {
        guard let guid = GUID(text) else { throw SettingsFlaw("must be a GUID") }
        return guid
    }

    static func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable>(
        _ text: String
    ) throws(SettingsFlaw) -> [Choice] {
        var list: [Choice] = []
        for word in words(text) {
            guard let choice = Choice(rawValue: word) else { throw SettingsFlaw("\(quoted(word)) is not known") }
            guard !list.contains(choice) else { throw SettingsFlaw("\(quoted(word)) stands twice") }
            list.append(choice)
        }
        return list
    }

    static func homeTemplate(_ text: String) throws(SettingsFlaw) -> HomeTemplate {
        do throws(HomeTemplate.Flaw) { return try HomeTemplate(text) } catch {
            throw SettingsFlaw(plainText("\(error)", limit: 200))
        }
    }

    /// Maximum number of entries of one key.
    private static let overrideLimit = 256

    /// The home of one account may be a plain path; a template for several accounts must give each a different path.
    static func homeOverrides(_ text: String) throws(SettingsFlaw) -> [AccountOverride<HomeTemplate>] {
        try overrides(text) { who, path throws(SettingsFlaw) in
            do throws(HomeTemplate.Flaw) { return try HomeTemplate(path, isForOne: who.isOnePerson) } catch {
                throw SettingsFlaw("\(quoted(path)): \(plainText("\(error)", limit: 200))")
            }
        }
    }

    static func shellOverrides(_ text: String) throws(SettingsFlaw) -> [AccountOverride<String>] {
        try overrides(text) { _, path throws(SettingsFlaw) in try self.path(path) }
    }

    private static func overrides<Value>(
        _ text: String,
        _ read: (AccountSelector, String) throws(SettingsFlaw) -> Value
    ) throws(SettingsFlaw) -> [AccountOverride<Value>] {
        var list: [AccountOverride<Value>] = []
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let who = AccountSelector(parts[0]) else {
                throw SettingsFlaw("\(quoted(word)) does not begin with a name, *@domain or %group, and a colon")
            }
            guard !list.contains(where: { $0.who == who }) else {
                throw SettingsFlaw("\(quoted(parts[0])) stands twice")
            }
            guard list.count < overrideLimit else { throw SettingsFlaw("more than \(overrideLimit) entries") }
            list.append(AccountOverride(who, try read(who, parts[1])))
        }
        return list
    }

    static func path(_ text: String) throws(SettingsFlaw) -> String {
        guard HomePath.isAcceptable(text) else {
            throw SettingsFlaw("must be an absolute path of at most 255 plain characters")
        }
        return text
    }

    static func optionalPath(_ text: String) throws(SettingsFlaw) -> String? { try path(text) }

    /// A group that existed before, or that gives root rights on some system, never gets an Entra user (P7).
    static func group(_ text: String) throws(SettingsFlaw) -> String {
        guard GroupName.isAcceptable(text) else {
            throw SettingsFlaw(
                "must be a lower-case letter, then letters, digits, _ and -, at most 32, with an underscore"
            )
        }
        return text
    }

    /// `first-last`: so many numbers that names rarely collide, and all of them uids that an account may have (P7).
    static func numbers(_ text: String) throws(SettingsFlaw) -> ClosedRange<UInt32> {
        let range = try ends(text)
        guard PosixID(user: range.lowerBound) != nil, PosixID(user: range.upperBound) != nil else {
            let range = PosixID.userRange
            throw SettingsFlaw("must lie within \(range.lowerBound)-\(range.upperBound)")
        }
        guard range.upperBound - range.lowerBound >= IDAllocation.probeLimit - 1 else {
            throw SettingsFlaw("must hold \(IDAllocation.probeLimit) numbers at least")
        }
        return range
    }

    /// Below the numbers of Entra accounts, or those from 2^31 on, which are negative to some programs; never 65534 and
    /// 65535, and not the last range, whose last number is not a valid id (systemd's UIDS-GIDS).
    private static let subordinateNumbers: [ClosedRange<UInt32>] = [
        65_536...PosixID.usersGroup - 1, 1 << 31...UInt32.max - 65_536,
    ]

    /// The range from which subordinate ids are assigned.
    static func subordinateNumbers(_ text: String) throws(SettingsFlaw) -> ClosedRange<UInt32>? {
        let range = try ends(text)
        guard subordinateNumbers.contains(where: { $0.contains(range.lowerBound) && $0.contains(range.upperBound) })
        else {
            let parts = subordinateNumbers.map { "\($0.lowerBound)-\($0.upperBound)" }
            throw SettingsFlaw("must lie within \(parts.joined(separator: " or "))")
        }
        guard range.upperBound - range.lowerBound >= SubordinateIDFile.rangeSize - 1 else {
            throw SettingsFlaw("must hold \(SubordinateIDFile.rangeSize) numbers at least")
        }
        return range
    }

    /// `first-last`.
    private static func ends(_ text: String) throws(SettingsFlaw) -> ClosedRange<UInt32> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { trimmed($0) }
        guard ends.count == 2, let first = UInt32(ends[0]), let last = UInt32(ends[1]), first <= last else {
            throw SettingsFlaw("must be two numbers with a - between them, the smaller one first")
        }
        return first...last
    }

    static func boolean(_ text: String) throws(SettingsFlaw) -> Bool {
        switch text.lowercased() {
        case "yes", "true", "on", "1": return true
        case "no", "false", "off", "0": return false
        default: throw SettingsFlaw("must be yes or no")
        }
    }

    /// At most 15 bytes each, as in proc(5)'s comm.
    static func commands(_ text: String) throws(SettingsFlaw) -> [String] {
        let words = words(text)
        let allowed = Set("._-+".utf8)
        for word in words {
            guard word.utf8.count <= 15, word.utf8.allSatisfy({ isLetterOrDigit($0) || allowed.contains($0) }) else {
                throw SettingsFlaw("\(quoted(word)) is not the beginning of a command name")
            }
        }
        return words
    }

    static func level(_ text: String) throws(SettingsFlaw) -> Int {
        guard let place = levels.firstIndex(of: text.lowercased()) else { throw SettingsFlaw("is no level") }
        return mostUrgent + place
    }

    static func name(ofLevel level: Int) -> String { levels[max(0, min(levels.count - 1, level - mostUrgent))] }

    /// In syslog's order, from the most urgent one that can be chosen.
    private static let levels = ["error", "warning", "notice", "info", "debug"]
    private static let mostUrgent = 3

    private static let units: [String: Int64] = [
        "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60, "minutes": 60,
        "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86_400, "day": 86_400, "days": 86_400,
        "w": 604_800, "week": 604_800, "weeks": 604_800,
    ]

    /// More seconds than any limit allows.
    private static let longest: Int64 = 1_000_000_000

    /// systemd.time(7): `90`, `90s`, `1h 30min`, `30d`. Whole seconds, within `limits`.
    static func span(in limits: ClosedRange<Int64>) -> @Sendable (String) throws(SettingsFlaw) -> Duration {
        { text throws(SettingsFlaw) in
            let seconds = try seconds(text)
            guard limits.contains(seconds) else {
                throw SettingsFlaw("is outside \(limits.lowerBound)s to \(limits.upperBound)s")
            }
            return .seconds(seconds)
        }
    }

    private static func seconds(_ text: String) throws(SettingsFlaw) -> Int64 {
        let flaw = SettingsFlaw("must be a time span such as 90s, 5min or 1h 30min")
        var total: Int64 = 0
        var rest = text[...]
        guard !rest.isEmpty else { throw flaw }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count).drop { $0 == " " }
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count).drop { $0 == " " }
            // The bound keeps the sum within 64 bits, however many terms there are.
            guard let number = Int64(digits), number <= longest, let factor = units[String(unit)], total <= longest
            else { throw flaw }
            total += number * factor
        }
        return total
    }

    private static func words(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "\t" || $0 == "," }.map(String.init)
    }
}
