// SPDX-License-Identifier: Apache-2.0

internal import Identity
package import Integration

/// Reads a machine that Microsoft's package has set up, and plans the migration. Read-only.
package struct MigrationSurvey: Sendable {
    /// The group that Microsoft's packages give sudo to.
    package static let administrators = "aad_admins"

    private let machine: any HostView
    private let known: [KnownAccount]
    private let isKnown: Bool

    /// `known`: the accounts that have signed in with entralogin; nil if unknown.
    package init(on machine: any HostView, known: [KnownAccount]?) {
        self.machine = machine
        self.known = known ?? []
        isKnown = known != nil
    }

    package func plan(from package: OldPackage) -> MigrationPlan { study(package).0 }

    /// The lines that `--apply` writes so that users keep their numbers; nil if the plan is not ready.
    package func mapping(from package: OldPackage) -> MappingLines? {
        let (plan, lines) = study(package)
        return plan.isReady ? lines : nil
    }

    private func study(_ package: OldPackage) -> (MigrationPlan, MappingLines) {
        var plan = MigrationPlan(from: package, isReady: false)
        var lines = MappingLines()
        plan.isComparedWithOurs = isKnown
        if !isKnown { plan.conflicts += unknownAccounts() }
        if let text = text(of: OldAccountFile.path, &plan) {
            let file = OldAccountFile(text)
            plan.conflicts += file.problems
            let files = MigratedFiles(
                passwd: bytes(of: "/etc/passwd", &plan),
                group: bytes(of: "/etc/group", &plan),
                list: list(&plan)
            )
            plan.conflicts += OldAccountRules(machine: machine, local: files.local, known: known).evaluate(
                file.accounts
            )
            let keeping = file.accounts.filter(keepsNumber)
            lines = files.lines(mapping: keeping)
            if plan.conflicts.isEmpty { plan.conflicts += files.contradictions(with: lines, keeping) }
            plan.people = file.accounts.map { person($0, keeps: keeping.contains($0), lines) }
            plan.hasLocalAdministratorsGroup = files.local.groupNames.contains(MigrationSurvey.administrators)
        }
        plan.oldLines = OldIntegration().lines(on: machine)
        plan.sudoRules = sudoRules()
        plan.isReady = plan.conflicts.isEmpty
        return (plan, lines)
    }

    /// Whether the account keeps its old number. A user who already has a number of entralogin's range keeps that one,
    /// unless they had the old number before `--undo` and their home still has it.
    private func keepsNumber(_ old: OldAccount) -> Bool {
        guard let present = known.first(where: { $0.objectID == old.objectID.description }), present.uid != old.uid
        else {
            return true
        }
        return present.home == old.home && (try? machine.status(of: old.home))?.owner == old.uid
    }

    /// Without the daemon it is unknown who has signed in with entralogin. That is a conflict only if its account store
    /// may have accounts.
    private func unknownAccounts() -> [MigrationConflict] {
        do throws(FileAbsence) {
            let lines = try machine.text(of: CoveredDomains.accounts, limit: CoveredDomains.accountsLimit).lines
            guard lines.contains(where: { $0.hasPrefix("account ") }) else { return [] }
        } catch .absent { return [] } catch {}
        return [
            MigrationConflict(
                place: CoveredDomains.accounts,
                text: "people have signed in with entralogin, and entralogind does not say who",
                remedy: "start entralogind: systemctl start entralogind"
            )
        ]
    }

    private func list(_ plan: inout MigrationPlan) -> MappingList {
        do {
            return try MappingList(parsing: Array(try machine.text(of: MappingList.path).utf8))
        } catch FileAbsence.absent {
            return MappingList()
        } catch {
            let conflict = MigrationConflict(
                place: MappingList.path,
                text: "cannot be used: \(error)",
                remedy: "fix it; see entralogin_mapped.h, or Documentation/migration.md"
            )
            plan.conflicts.append(conflict)
            return MappingList()
        }
    }

    /// Nil if it cannot be read. That is also a conflict: an incomplete view makes no plan.
    private func text(of path: String, _ plan: inout MigrationPlan) -> String? {
        do throws(FileAbsence) { return try machine.text(of: path) } catch {
            let isAbsent = error == .absent
            plan.conflicts.append(
                MigrationConflict(
                    place: path,
                    text: isAbsent ? "is not there: nobody has signed in with \(plan.from.rawValue)" : "cannot be read",
                    remedy: isAbsent
                        ? "remove \(plan.from.rawValue) if it is installed, then entraloginctl setup --apply"
                        : "fix the file's rights; it is plain text of at most 1 MiB"
                )
            )
            return nil
        }
    }

    private func bytes(of path: String, _ plan: inout MigrationPlan) -> [UInt8] {
        text(of: path, &plan).map { Array($0.utf8) } ?? []
    }

    /// The folder gets the user's new number before the account gets the folder: the session stage refuses a home that
    /// belongs to another user.
    private func person(_ old: OldAccount, keeps: Bool, _ lines: MappingLines) -> MigratedPerson {
        let present = known.first { $0.objectID == old.objectID.description }
        var person = MigratedPerson(
            name: old.name.text,
            objectID: old.objectID.description,
            oldUID: old.uid,
            uid: present?.uid,
            home: old.home,
            shell: old.shell
        )
        person.keepsNumber = keeps
        let prefix = "\(old.name):"
        person.passwdLine = lines.passwd.first { $0.hasPrefix(prefix) }
        person.groupLine = lines.group.first { $0.hasPrefix(prefix) }
        guard !keeps, let present, present.home != old.home else { return person }
        let owner = "\(present.uid):\(present.uid)"
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
}
