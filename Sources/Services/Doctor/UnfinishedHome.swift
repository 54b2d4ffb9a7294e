// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// A home that root began and never finished: at the next session it goes, and is made anew. The same test as the session
/// stage's (Sources/Programs/PAM/unfinished.c): all that it holds is a beginning of what /etc/skel holds.
struct UnfinishedHome: Sendable {
    private static let skeleton = "/etc/skel"
    private static let deepest = 8
    private static let mostEntries = 4096

    private struct Walk {
        let owners: Set<UInt32>
        let device: UInt64
        var entries = 0
    }

    let machine: any EnvironmentView

    /// `uid`: the account's, whom pam_mkhomedir may have given some of it.
    func stands(at path: String, uid: UInt32) -> Bool {
        guard !machine.isLink(path), let status = try? machine.status(of: path), status.kind == .folder,
            status.owner == 0, status.mode == 0o700
        else { return false }
        var walk = Walk(owners: [0, uid], device: status.device)
        return isBeginning(path, of: UnfinishedHome.skeleton, depth: 0, &walk)
    }

    private func isBeginning(
        _ folder: String,
        of model: String,
        depth: Int,
        _ walk: inout Walk
    ) -> Bool {
        guard depth <= UnfinishedHome.deepest, machine.exists(model) else { return false }
        for path in contents(of: folder) {
            walk.entries += 1
            let other = model + path.dropFirst(folder.utf8.count)
            guard walk.entries <= UnfinishedHome.mostEntries, machine.isLink(path) == machine.isLink(other) else {
                return false
            }
            if machine.isLink(path) { continue }
            guard let status = try? machine.status(of: path), let shape = try? machine.status(of: other),
                status.kind == shape.kind, walk.owners.contains(status.owner)
            else { return false }
            switch status.kind {
            case .file:
                guard let text = try? machine.text(of: path), let whole = try? machine.text(of: other),
                    whole.utf8.starts(with: text.utf8)
                else { return false }
            case .folder:
                guard status.device == walk.device, isBeginning(path, of: other, depth: depth + 1, &walk) else {
                    return false
                }
            case .other:
                return false
            }
        }
        return true
    }

    /// Its paths, those of hidden files too.
    private func contents(of folder: String) -> [String] {
        let literal = folder.reduce(into: "") { pattern, character in
            pattern += "*?[\\".contains(character) ? "\\\(character)" : "\(character)"
        }
        return ["*", ".[!.]*", "..?*"].flatMap { machine.paths(matching: "\(literal)/\($0)") }
    }
}
