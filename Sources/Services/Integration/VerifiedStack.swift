// SPDX-License-Identifier: Apache-2.0

/// The stack stamp: root's record that the integration was checked, and the state of every file on which the result
/// depends.
///
/// Text of at most 64 KiB; on each line words separated by one blank, the path last:
///
///     entralogin-stack 1
///     version 0.1.0
///     listener 812 1700000000123456789
///     withheld
///     file 2049 131 3254 1700000000000000000 1700000000000000000 0 /etc/ssh/sshd_config
///     guarded /etc/ssh/sshd_config.d/50-site.conf
///     end
///
/// `withheld`: administrators sign in as users (`SudoersReview`). `file`: device, inode, size, modified, changed
/// (nanoseconds), owner. `guarded`: below a folder that only root may search, so the daemon cannot check the file
/// itself; root's watch on those folders renews or removes the stamp.
package struct VerifiedStack: Hashable, Sendable {
    package static let path = "/run/entralogin/stack-verified"
    static let sizeLimit = 65_536
    private static let header = "entralogin-stack 1"

    struct Entry: Hashable, Sendable {
        var path: String
        /// Nil for a guarded file.
        var status: StampedStatus?
    }

    var version: String
    package var listener: SSHDListener?
    var withholdsAdministrators = false
    var entries: [Entry]

    /// The stamp of a valid verdict. Throws if a file cannot be seen.
    static func making(
        of verdict: StackVerdict,
        version: String,
        on machine: any HostView
    ) throws(FileAbsence) -> VerifiedStack {
        var entries: [Entry] = []
        for path in verdict.restsOn {
            let guarded = VerifiedStack.isGuarded(path, on: machine)
            let status = try machine.status(of: path)
            entries.append(Entry(path: path, status: guarded ? nil : StampedStatus(status)))
        }
        var stack = VerifiedStack(version: version, listener: verdict.listener, entries: entries)
        stack.withholdsAdministrators = verdict.withholdsAdministrators
        return stack
    }

    /// True if a folder above the path may not be searched by every user.
    private static func isGuarded(_ path: String, on machine: any HostView) -> Bool {
        var folder = path
        while let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
            folder = String(folder[..<slash])
            guard let status = try? machine.status(of: folder), status.mode & 0o001 != 0 else { return true }
        }
        return false
    }

    /// The only encoding of this stamp.
    package var text: String {
        var lines = [VerifiedStack.header, "version \(version)"]
        if let listener { lines.append("listener \(listener.pid) \(listener.readAt)") }
        if withholdsAdministrators { lines.append("withheld") }
        lines += entries.map { entry in
            guard let status = entry.status else { return "guarded \(entry.path)" }
            return "file \(status.words) \(entry.path)"
        }
        return (lines + ["end", ""]).joined(separator: "\n")
    }

    /// Nil for anything that `text` does not produce: cut short, reordered, with lines of another kind.
    package init?(_ text: String) {
        var lines = text.lines[...]
        guard lines.popFirst() == VerifiedStack.header[...], lines.popLast() == "", lines.popLast() == "end",
            let versionLine = lines.popFirst(), versionLine.hasPrefix("version ")
        else { return nil }
        version = String(versionLine.dropFirst("version ".count))
        listener = nil
        entries = []
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: false)
            switch (words[0], words.count) {
            case ("listener", 3):
                guard listener == nil, entries.isEmpty, let pid = Int32(words[1]), let readAt = Int64(words[2]) else {
                    return nil
                }
                listener = SSHDListener(pid: pid, readAt: readAt)
            case ("withheld", 1):
                guard !withholdsAdministrators, entries.isEmpty else { return nil }
                withholdsAdministrators = true
            case ("guarded", _):
                entries.append(Entry(path: String(line.dropFirst("guarded ".count)), status: nil))
            case ("file", 8):
                guard let status = StampedStatus(words[1...6]) else { return nil }
                entries.append(Entry(path: String(words[7]), status: status))
            default: return nil
            }
        }
        guard !version.isEmpty, entries.contains(where: { $0.status != nil }),
            entries.allSatisfy({ $0.path.hasPrefix("/") }), self.text.utf8.elementsEqual(text.utf8)
        else { return nil }
    }

    init(version: String, listener: SSHDListener?, entries: [Entry]) {
        self.version = version
        self.listener = listener
        self.entries = entries
    }

    /// What has changed since, as the daemon's user sees it; nil if nothing has.
    func difference(seenBy status: (String) throws(FileAbsence) -> FileStatus) -> String? {
        for entry in entries {
            guard let stamped = entry.status else { continue }
            do throws(FileAbsence) {
                guard try StampedStatus(status(entry.path)) == stamped else { return "\(entry.path) has changed" }
            } catch {
                return "\(entry.path) is missing or cannot be seen"
            }
        }
        return nil
    }
}

/// The part of a file's state that shows that it is still the same file with the same bytes.
struct StampedStatus: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var modified: Int64
    var changed: Int64
    var owner: UInt32

    init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
        size = status.size
        modified = status.modified
        changed = status.changed
        owner = status.owner
    }

    init?(_ words: ArraySlice<Substring>) {
        let words = Array(words)
        guard words.count == 6, let device = UInt64(words[0]), let inode = UInt64(words[1]), let size = Int64(words[2]),
            let modified = Int64(words[3]), let changed = Int64(words[4]), let owner = UInt32(words[5])
        else { return nil }
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
        self.owner = owner
    }

    var words: String { "\(device) \(inode) \(size) \(modified) \(changed) \(owner)" }
}
