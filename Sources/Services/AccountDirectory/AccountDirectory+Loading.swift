// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import LinuxSystem
internal import Synchronization

extension AccountDirectory {
    /// Reads the store and publishes what it says; blocks on the disk. To be called once, before any client is served.
    package func load() {
        loadStore()
        signIns.load()
        _ = publishIfNeeded()
        announceChange()
    }

    /// A store that is missing where accounts were published, is older than what was published, or is bad in any way is
    /// a fault: with gaps in the table, uids would be given to other users.
    func loadStore() {
        let published = publisher.published()
        do throws(StoreFault) {
            try lockFolder()
            guard let content = try store.load() else {
                try begin(published: published)
                return
            }
            if case .sound(let generation) = published, generation > content.generation {
                throw fault(
                    "the store is older (generation \(content.generation)) than what was published (\(generation))",
                    remedy: "Restore the newer store; or, to accept the loss, remove \(publisher.path)"
                )
            }
            state.withLock { state in
                state.table = content.table
                state.generation = content.generation
                state.fault = nil
            }
        } catch {
            state.withLock { $0.fault = error }
        }
    }

    /// Two daemons with a table each would overwrite each other's accounts.
    private func lockFolder() throws(StoreFault) {
        let path = store.file.folder
        let failure = lock.withLock { lock -> Errno? in
            guard lock == nil else { return nil }
            do throws(Errno) {
                lock = try FolderLock(path)
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return }
        guard failure == .wouldBlock else {
            throw fault("cannot lock \(path): \(failure)", remedy: "Fix the folder; it belongs to the user entralogin")
        }
        throw fault("another entralogind works with \(path)", remedy: "Stop it; this one looks again by itself")
    }

    /// At the first start on this machine, writes an empty store, so that its loss can be noticed from now on.
    private func begin(published: SnapshotPublisher.Published) throws(StoreFault) {
        guard case .absent = published else {
            throw fault(
                "the store is missing, but accounts were published from it",
                remedy: "Restore it from a backup; or, to begin anew without those accounts, remove \(publisher.path)"
            )
        }
        do throws(FileError) {
            try store.save(AccountStore.Content(table: AccountTable(), generation: 0))
        } catch {
            throw fault("cannot be created: \(error)", remedy: "Make room, or fix the folder, and reload entralogind")
        }
        state.withLock { state in
            state.table = AccountTable()
            state.generation = 0
            state.fault = nil
        }
    }

    /// The numbers for `status`.
    package func report() -> AccountReport {
        let now = view()
        let state = now.state
        var report = AccountReport()
        report.fault = state.fault.map(\.description)
        report.generation = state.generation
        report.retired = state.table.retiredCount
        report.enrolled = state.table.accounts.count - report.retired
        report.enrolmentFaults = [state.storeWarning, state.publicationWarning].compactMap(\.self)
        report.warnings = [signIns.fault.map(\.description), grants.fault].compactMap(\.self)
        report.warnings += [locals.listFault].compactMap(\.self) + (environment.groups?.warnings ?? [])
        do throws(Denial) {
            let rules = try now.rules()
            report.shadowed = state.table.accounts.filter { account in
                guard account.retiredAt == nil else { return false }
                if rules.shadow(of: account) != nil { return true }
                return StandingRules.mapping(of: account, in: rules.local) == nil
                    && rules.local.hasHome(account.account.home)
            }.map(\.account.name)
            report.shadowedGroups =
                [state.policy.usersGroupName, state.policy.administratorsGroupName]
                .filter(rules.local.groupNames.contains) + (environment.groups?.heldNames ?? [])
        } catch {
            report.fault = report.fault ?? error.detail
        }
        return report
    }

    private func fault(_ problem: String, remedy: String) -> StoreFault {
        StoreFault(path: store.file.path, line: nil, problem: problem, remedy: remedy)
    }
}
