// SPDX-License-Identifier: Apache-2.0

/// The rule for home directories in passwd(5) records of Entra accounts.
package enum HomePath {
    /// Bytes; the wire and the snapshot hold no more (`ENTRALOGIN_HOME_MAX`).
    package static let limit = 255

    /// True for an absolute path of at least one component, at most 255 bytes, of letters, digits and `._-@'+` in
    /// ASCII: nothing that passwd(5), a shell or sshd's percent tokens read in their own way. No empty, `.` or `..`
    /// component, no slash at the end.
    package static func isAcceptable(_ path: String) -> Bool {
        var path = path
        return path.withUTF8(isAcceptable)
    }

    private static func isAcceptable(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        guard path.count <= limit, path.first == slash else { return false }
        var component = (length: 0, dots: 0)
        for byte in path.dropFirst() {
            guard byte != slash else {
                guard isName(component) else { return false }
                component = (0, 0)
                continue
            }
            guard isPlain(byte) else { return false }
            component.length += 1
            if byte == UInt8(ascii: ".") { component.dots += 1 }
        }
        return isName(component)
    }

    /// The path without doubled slashes, `.` components and a slash at the end, so that two spellings compare equal.
    /// By bytes, as the kernel reads it.
    package static func normalized(_ path: String) -> String {
        if isAcceptable(path) { return path }
        let components = path.utf8.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        return components.reduce(into: "") { $0 += "/" + String(Substring($1)) }
    }

    private static let slash = UInt8(ascii: "/")

    /// Neither empty nor `.` nor `..`.
    private static func isName(_ component: (length: Int, dots: Int)) -> Bool {
        component.length > 2 || component.length > component.dots
    }

    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "@"), UInt8(ascii: "_"),
            UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "'"):
            true
        default: false
        }
    }
}

/// The template for home paths: `%n` stands for the account's name, `%l` for its local part and `%d` for its domain.
///
/// A GUID is its own local part, and `service` stands for its domain.
package struct HomeTemplate: Hashable, Sendable, CustomStringConvertible {
    /// Why a template is refused.
    package enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
        case unknownToken(String)
        case sameForEverybody
        case notAPath

        package var description: String {
            switch self {
            case .unknownToken(let token): "'\(token)' means nothing here: use %n, %l or %d"
            case .sameForEverybody: "everybody would get the same home: use %n or %l"
            case .notAPath: "not an absolute path of letters, digits and ._-@'+ without . or .. components"
            }
        }
    }

    private enum Part: Hashable, Sendable {
        case text(String)
        case name
        case localPart
        case domain
    }

    /// How many homes are tried for one name before it is refused.
    package static let candidateLimit = 16

    package let text: String
    private let parts: [Part]

    /// `isForOne`: only one account uses it, so it may be a plain path.
    package init(_ text: String, isForOne: Bool = false) throws(Flaw) {
        var parts: [Part] = []
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            parts.append(.text(String(rest[..<percent])))
            let token = rest[percent...].prefix(2)
            switch token {
            case "%n": parts.append(.name)
            case "%l": parts.append(.localPart)
            case "%d": parts.append(.domain)
            default: throw .unknownToken(String(token))
            }
            rest = rest[token.endIndex...]
        }
        parts.append(.text(String(rest)))
        guard isForOne || parts.contains(.name) || parts.contains(.localPart) else { throw .sameForEverybody }
        self.text = text
        self.parts = parts
        guard HomePath.isAcceptable(expanded("n", localPart: "l", domain: "d")) else { throw .notAPath }
    }

    /// `/home/%n`.
    package static let standard: HomeTemplate = {
        do { return try HomeTemplate("/home/%n") } catch { preconditionFailure("the standard template: \(error)") }
    }()

    package var description: String { text }

    /// The homes for a name in order of preference: the template's path, then the same with `-entra`, `-entra2`, ...
    /// behind it. Paths that are too long are left out. Lazy, because the first one is mostly free. `short`: what the
    /// account is called instead.
    package func candidates(for name: UserName, called short: ShortName? = nil) -> some Sequence<String> {
        let first = expanded(short?.text ?? name.text, localPart: name.localPart, domain: name.domain ?? "service")
        return (0..<Self.candidateLimit).lazy.map { number in
            switch number {
            case 0: first
            case 1: first + "-entra"
            default: "\(first)-entra\(number)"
            }
        }.filter(HomePath.isAcceptable)
    }

    private func expanded(
        _ name: String,
        localPart: @autoclosure () -> Substring,
        domain: @autoclosure () -> Substring
    ) -> String {
        parts.reduce(into: "") { path, part in
            switch part {
            case .text(let text): path += text
            case .name: path += name
            case .localPart: path += localPart()
            case .domain: path += domain()
            }
        }
    }
}
