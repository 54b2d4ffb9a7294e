// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// Looks at a machine that Microsoft's package has set up, and plans the way over. Only looks.
package struct MigrationSurvey: Sendable {
    /// The group that Microsoft's packages give sudo to.
    package static let administrators = "aad_admins"
    /// The first number that is not the system's own (login.defs(5), UID_MIN), and nobody's, in both its widths.
    private static let firstUserID: UInt32 = 1000
    private static let nobodies: Set<UInt32> = [65_534, 65_535, .max]

    private let machine: any MachineView
    private let known: [KnownAccount]
    private let isKnown: Bool

    /// `known`: the accounts that have signed in with us; nil where they are not known.
    package init(on machine: any MachineView, known: [KnownAccount]?) {
        self.machine = machine
        self.known = known ?? []
        isKnown = known != nil
    }

    package func plan(from package: OldPackage) -> MigrationPlan {
        var plan = MigrationPlan(from: package, isReady: false)
        plan.isComparedWithOurs = isKnown
        if let text = text(of: OldAccountFile.path, &plan) {
            let file = OldAccountFile(text)
            plan.conflicts += file.problems
            let local = LocalAccounts(passwd: bytes(of: "/etc/passwd", &plan), group: bytes(of: "/etc/group", &plan))
            plan.conflicts += OldAccountRules(machine: machine, local: local, known: known).judge(file.accounts)
            plan.people = file.accounts.map(person)
            plan.hasLocalAdministratorsGroup = local.groupNames.contains(MigrationSurvey.administrators)
        }
        plan.oldLines = OldWiring().lines(on: machine)
        plan.sudoRules = sudoRules()
        plan.isReady = plan.conflicts.isEmpty
        return plan
    }

    /// Nil where it cannot be read, which is then a conflict: nothing is planned by half a picture.
    private func text(of path: String, _ plan: inout MigrationPlan) -> String? {
        do throws(FileAbsence) { return try machine.text(of: path) } catch {
            let isAbsent = error == .absent
            plan.conflicts.append(
                MigrationConflict(
                    place: path,
                    text: isAbsent ? "is not there: nobody has signed in with \(plan.from.rawValue)" : "cannot be read",
                    remedy: isAbsent
                        ? "remove \(plan.from.rawValue) if it is installed, then entraloginctl setup --apply"
                        : "mend the file's rights; it is plain text of at most 1 MiB"
                )
            )
            return nil
        }
    }

    private func bytes(of path: String, _ plan: inout MigrationPlan) -> [UInt8] {
        text(of: path, &plan).map { Array($0.utf8) } ?? []
    }

    /// The folder gets the person's new number before the account gets the folder: we let nobody into a home that is not
    /// theirs.
    private func person(_ old: OldAccount) -> MigratedPerson {
        let ours = known.first { $0.objectID == old.objectID.description }
        var person = MigratedPerson(
            name: old.name.text,
            objectID: old.objectID.description,
            oldUID: old.uid,
            uid: ours?.uid,
            home: old.home,
            shell: old.shell
        )
        guard ours?.home != old.home else { return person }
        let owner = ours.map { "\($0.uid):\($0.uid)" } ?? "UID:UID"
        let home = OldAccountRules.quoted(old.home)
        person.commands = [
            "chown -hR --from=\(old.uid):\(old.uid) \(owner) \(home)",
            "entraloginctl users set-home \(OldAccountRules.quoted(old.name.text)) \(home)",
            "entraloginctl users set-shell \(OldAccountRules.quoted(old.name.text)) \(OldAccountRules.quoted(old.shell))",
        ]
        return person
    }

    private func sudoRules() -> [String] {
        let files = ["/etc/sudoers"] + machine.paths(matching: "/etc/sudoers.d/*")
        return files.flatMap { path -> [String] in
            let lines = (try? machine.text(of: path))?.lines ?? []
            return lines.enumerated().filter { _, line in
                !line.drop { $0 == " " || $0 == "\t" }.hasPrefix("#") && line.contains(MigrationSurvey.administrators)
            }.map { "\(path):\($0.offset + 1)" }
        }
    }

    /// True for an id that a person can have had: no system's own, and none that means nobody.
    static func isPersonal(_ uid: UInt32) -> Bool { uid >= firstUserID && !nobodies.contains(uid) }
}
