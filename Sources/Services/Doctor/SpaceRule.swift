// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Checks the disk space that a sign-in needs, and the size of files that are indexed by uid.
struct SpaceRule: Sendable {
    /// Below that, a new account, its home or a published file may not fit.
    private static let leastBytes: UInt64 = 64 << 20
    private static let leastFiles: UInt64 = 1000
    private static let folders = ["/var/lib/entralogin", "/run/entralogin", "/home", "/var/log"]
    /// The folder of the account store.
    private static let store = "/var/lib/entralogin"
    /// With less, a changed account file and its snapshot do not fit.
    private static let fullBytes: UInt64 = 1 << 20
    private static let fullFiles: UInt64 = 4
    /// lastlog(5): an array of records of 292 bytes, indexed by uid. Its apparent size depends on the largest uid.
    private static let lastlog = "/var/log/lastlog"
    private static let largeLastlog: Int64 = 16 << 30

    func evaluate(_ machine: any EnvironmentView) -> [Finding] {
        let full = SpaceRule.folders.compactMap { evaluate($0, machine) }
        let disks = full.isEmpty ? [Finding(.disk, .good, "there is room on the disks that a sign-in needs")] : full
        return disks + lastlog(machine)
    }

    private func evaluate(_ folder: String, _ machine: any EnvironmentView) -> Finding? {
        guard let space = machine.space(of: folder) else { return nil }
        let isShort = space.freeBytes < SpaceRule.leastBytes
        let isShortOfFiles = space.totalFiles > 0 && space.freeFiles < SpaceRule.leastFiles
        let isReadOnly = folder == SpaceRule.store && space.isReadOnly
        guard isShort || isShortOfFiles || isReadOnly else { return nil }
        let isFull =
            isReadOnly || space.freeBytes < SpaceRule.fullBytes
            || space.totalFiles > 0 && space.freeFiles < SpaceRule.fullFiles
        let keepsOut: KeptOut? = isFull && folder == SpaceRule.store ? .newcomers : nil
        let room =
            isShort ? "only \(space.freeBytes >> 20) MiB are free" : "only \(space.freeFiles) more files can be made"
        return Finding(
            .disk,
            keepsOut == nil ? .warning : .error,
            (isReadOnly ? "is read-only" : room)
                + (keepsOut == nil ? "" : ": nobody can sign in here for the first time"),
            place: folder,
            needed: "room for new accounts, homes and records; who is enrolled gets in without",
            remedy: isReadOnly ? "findmnt -T \(folder); dmesg shows why" : "df -h \(folder); df -i \(folder)",
            keepsOut: keepsOut
        )
    }

    private func lastlog(_ machine: any HostView) -> [Finding] {
        guard let status = try? machine.status(of: SpaceRule.lastlog), status.size > SpaceRule.largeLastlog else {
            return []
        }
        return [
            Finding(
                .lastlog,
                .note,
                "looks \(status.size >> 30) GiB large because of large uids; it has holes and takes little room",
                place: SpaceRule.lastlog,
                remedy:
                    "backup and copy it with a program that knows holes (tar --sparse, rsync --sparse), or leave it out"
            )
        ]
    }
}
