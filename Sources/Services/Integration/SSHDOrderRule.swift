// SPDX-License-Identifier: Apache-2.0

/// Evaluates the order in which sshd reads its blocks. A Match block before entralogin's may set the same keywords for
/// some Entra accounts, and would take precedence; the names that are tried with `sshd -T` need not show that.
struct SSHDOrderRule: Sendable {
    /// Service principals and managed identities.
    static let guids = "????????-????-????-????-????????????"
    private static let remedy = "/usr/libexec/entralogin/configure --enable, then reload sshd"

    /// The keywords that entralogin's block sets. A block without one of them leaves it to the next block.
    private static let needed = Set(
        SSHDRule.needs.filter { $0.keyword != "usepam" && !$0.mayBeAbsent }.map(\.keyword)
    )

    /// `hasDropIn`: the drop-in exists, whether sshd reads it or not; `hasShortNames`: accounts with a short name need
    /// a block of their own.
    static func evaluate(_ files: SSHDFiles, hasDropIn: Bool = true, hasShortNames: Bool = false) -> [Finding] {
        if let path = files.unreadable {
            return [Finding(.sshdFiles, .error, "sshd's configuration cannot be read", place: path, remedy: remedy)]
        }
        let matches = files.lines.indices.filter { files.lines[$0].keyword == "match" }
        guard let block = matches.first(where: { isEntraloginBlock($0, in: files.lines) }) else {
            return [files.files.contains(SSHDFiles.dropIn) ? incomplete : hasDropIn ? unread : missing]
        }
        let short = matches.first { isShortNames($0, like: block, in: files.lines) }
        if let first = matches.first(where: { $0 != block && $0 != short }),
            first < max(block, hasShortNames ? short ?? 0 : 0)
        {
            return [overtaken(by: files.lines[first])]
        }
        guard hasShortNames == (short != nil) else { return [hasShortNames ? withoutShortNames : withShortNames] }
        let place = files.lines[block].place
        return [Finding(.sshdFiles, .good, "sshd reads entralogin's block before any other", place: place)]
    }

    /// True for the first line of entralogin's block: in its own file or, if sshd does not read that, in the main one.
    /// The block matches only by user, its patterns are whole domains and GUIDs, and it sets every keyword that is
    /// needed; `SSHDRule` checks the values.
    private static func isEntraloginBlock(_ index: Int, in lines: [SSHDFiles.Line]) -> Bool {
        let line = lines[index]
        guard line.file == SSHDFiles.dropIn || line.file == SSHDFiles.main,
            let words = SSHDWords.arguments(of: line.rest), words.count == 2, words[0].lowercased() == "user"
        else { return false }
        let patterns = words[1].split(separator: ",", omittingEmptySubsequences: false)
        guard patterns.contains(where: { $0 == guids }), patterns.allSatisfy({ $0 == guids || $0.hasPrefix("*@") })
        else {
            return false
        }
        let block = lines[(index + 1)...].prefix { $0.keyword != "match" && $0.file == line.file }
        return needed.isSubset(of: block.map(\.keyword))
    }

    /// True for the first line of the block for accounts with a short name: it says what the other one says.
    private static func isShortNames(_ index: Int, like block: Int, in lines: [SSHDFiles.Line]) -> Bool {
        guard let words = SSHDWords.arguments(of: lines[index].rest), words.count == 2,
            words[0].lowercased() == "group",
            words[1] == ShortNameGroupRule.group
        else { return false }
        return settings(of: index, in: lines).isSuperset(
            of: settings(of: block, in: lines).filter { needed.contains($0[0]) }
        )
    }

    /// Keyword and value of each line of a block.
    private static func settings(of index: Int, in lines: [SSHDFiles.Line]) -> Set<[String]> {
        let block = lines[(index + 1)...].prefix { $0.keyword != "match" && $0.file == lines[index].file }
        return Set(block.map { [$0.keyword, (SSHDWords.arguments(of: $0.rest) ?? [$0.rest]).joined(separator: " ")] })
    }

    private static var withoutShortNames: Finding {
        Finding(
            .sshdFiles,
            .error,
            "entralogin's block for accounts with a short name (ShortNames=) is missing or not whole",
            place: SSHDFiles.dropIn,
            needed: "the blocks as configure writes them",
            remedy: remedy
        )
    }

    private static var withShortNames: Finding {
        Finding(
            .sshdFiles,
            .note,
            "sshd has a block for accounts with a short name, and ShortNames= names no domain",
            place: SSHDFiles.dropIn,
            remedy: remedy
        )
    }

    /// True if this one reason explains every finding about a line of the block.
    static func isWholeBlockUnread(_ findings: [Finding]) -> Bool { findings == [unread] || findings == [missing] }

    private static var missing: Finding {
        Finding(
            .sshdFiles,
            .error,
            "\(SSHDFiles.dropIn) is missing: sshd knows nothing of Entra accounts",
            place: SSHDFiles.dropIn,
            needed: "entralogin's block, before any other Match block",
            remedy: remedy
        )
    }

    private static var incomplete: Finding {
        Finding(
            .sshdFiles,
            .error,
            "the block in \(SSHDFiles.dropIn) is not whole, or names not every Entra account",
            place: SSHDFiles.dropIn,
            needed: "the block as configure writes it",
            remedy: remedy
        )
    }

    private static var unread: Finding {
        Finding(
            .sshdFiles,
            .error,
            "sshd does not read \(SSHDFiles.dropIn)",
            place: SSHDFiles.main,
            needed: "as its first line: Include /etc/ssh/sshd_config.d/*.conf",
            remedy: remedy
        )
    }

    private static func overtaken(by line: SSHDFiles.Line) -> Finding {
        Finding(
            .sshdFiles,
            .error,
            "'Match \(line.rest)' is read before entralogin's block and would win over it",
            place: line.place,
            needed: "no Match block before \(SSHDFiles.dropIn)",
            remedy: "move it behind: to a file with a higher number, or below the Include line"
        )
    }
}
