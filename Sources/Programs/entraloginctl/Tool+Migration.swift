// SPDX-License-Identifier: Apache-2.0

internal import Integration
internal import Migration
internal import Wire

// From Microsoft's packages to entralogin, and back.

extension Tool {
    /// `--apply` goes by the plan: while data contradict each other, it changes nothing.
    func migrate(from package: OldPackage, _ verb: MigrationVerb) throws(DaemonError) -> ExitStatus {
        switch verb {
        case .undo: return becomeConfigure("--migrate-undo")
        case .adopt, .release, .restore, .forget: return try changeAccountFiles(from: package, verb)
        case .plan, .apply: break
        }
        let plan = MigrationSurvey(on: machine, known: try knownAccounts()).plan(from: package)
        if verb == .plan || !plan.isReady { show(plan) { MigrationText(style: style).lines($0) } }
        guard plan.isReady else { return .refused }
        return verb == .plan ? .success : becomeConfigure("--migrate", package.rawValue)
    }

    private func changeAccountFiles(from package: OldPackage, _ verb: MigrationVerb) throws(DaemonError) -> ExitStatus {
        let files = MappingFiles()
        do throws(MappingFailure) {
            switch verb {
            case .adopt:
                let survey = MigrationSurvey(on: machine, known: try? knownAccounts())
                guard let lines = survey.mapping(from: package) else {
                    throw .contradiction("the plan has changed: entraloginctl migrate --from \(package.rawValue)")
                }
                if !lines.isEmpty { try files.add(lines) }
            case .restore:
                // Otherwise their own SSH keys would let these accounts in, whatever Azure says.
                if let gap = StackCheck(on: machine).accountStageErrors().first {
                    throw .contradiction("PAM does not refuse these accounts yet: \(gap.found)")
                }
                _ = try files.restore()
            case .forget: try files.forget()
            default:
                let changed = try files.release()
                for name in changed {
                    Output.complain(printable("/etc/passwd or /etc/group: the line of \(name) was changed and is left"))
                }
                return changed.isEmpty ? .success : .refused
            }
            return .success
        } catch {
            Output.complain(printable("entraloginctl: \(error)"))
            return .refused
        }
    }

    /// Nil where the daemon does not run, as before the first setup. Every sign-in compares name and object id anyway.
    private func knownAccounts() throws(DaemonError) -> [KnownAccount]? {
        let users: [UserReport]
        do throws(DaemonError) { users = try allUsers() } catch {
            guard case .unreachable = error else { throw error }
            return nil
        }
        return users.map { KnownAccount(name: $0.name, objectID: $0.objectID, uid: $0.uid, home: $0.home) }
    }

    /// The accounts in the form that Microsoft's packages keep them in, without retired ones.
    func exportAccounts() throws(DaemonError) -> ExitStatus {
        var accounts: [ExportedAccount] = []
        for user in try allUsers() where user.retiredAt == nil {
            let whole = try ask(.showUser(user.name), for: UserReport.self)
            guard let shell = whole.shell else { throw .misread }
            accounts.append(ExportedAccount(whole, shell: shell))
        }
        show(accounts) { $0.map(\.line) }
        return .success
    }
}

/// `export`.
struct ExportedAccount: Hashable, Sendable, Codable {
    var name: String
    var objectID: String
    /// Uid and gid.
    var uid: UInt32
    var displayName: String
    var home: String
    var shell: String

    init(_ user: UserReport, shell: String) {
        name = user.name
        objectID = user.objectID
        uid = user.uid
        displayName = user.displayName
        home = user.home
        self.shell = shell
    }

    /// `upn:oid:uid:gid:name:home:shell`.
    var line: String { printable("\(name):\(objectID):\(uid):\(uid):\(displayName):\(home):\(shell)") }
}
