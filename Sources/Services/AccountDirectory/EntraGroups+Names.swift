// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Identity
internal import LinuxSystem
internal import Synchronization

extension EntraGroups {
    /// How long an answer of other name services about a name counts: they are asked by a process of its own.
    private static let nameLifetime = Duration.seconds(600)
    /// The same of no answer.
    private static let silenceLifetime = Duration.seconds(60)

    /// Looks whose name and number each group has, gives numbers, and publishes. Call it when the tenant is known, and
    /// now and then: a local group of that name may come and go. Waits for the disk and for other name services, off
    /// the loop.
    package func refresh(tenant: TenantID?) async {
        guard !configured.isEmpty, let tenant else { return }
        await looks.turn.take()
        defer { looks.turn.pass() }
        guard let local = environment.local() else {
            return note(trouble: "the local users and groups cannot be read: Entra groups stay as they are")
        }
        var look = Look(local: local)
        do throws(StoreFault) { try await loadNumbers() } catch {
            return settle([], held: [], trouble: ["\(error)"])
        }
        for group in configured { await self.look(at: group, of: tenant, &look) }
        settle(look.published, held: look.held, trouble: look.trouble)
    }

    private struct Look {
        let local: LocalAccounts
        var published: [Published] = []
        var held: [String] = []
        var trouble: [String] = []
        /// Other name services have not answered in time: nobody waits for them again in this look.
        var isSilent = false
    }

    private func look(at group: EntraGroup, of tenant: TenantID, _ look: inout Look) async {
        let key = GroupNumbers.Group(tenant: tenant, objectID: group.objectID)
        switch await holder(of: group.name, look) {
        case .nobody: break
        case .somebody:
            look.held.append(group.name)
            return
        case .unknown(let reason):
            look.isSilent = true
            // Nobody had it when it was published, and a service that is slow for a while is no reason to take it from
            // people.
            guard !hasGroup(named: group.name) else { break }
            look.trouble.append("whether the name \(group.name) is taken is not known: \(reason)")
            return
        }
        do throws(StoreFault) {
            if let gid = try await number(of: key, look.local) {
                look.published.append(Published(group: group, gid: gid))
            } else {
                look.trouble.append(
                    "\(group.name) has no number: it is taken, none is left, or the holders are not known"
                )
            }
        } catch {
            if !look.trouble.contains("\(error)") { look.trouble.append("\(error)") }
        }
    }

    private func loadNumbers() async throws(StoreFault) {
        guard looks.state.withLock({ $0.numbers == nil }) else { return }
        let box = GroupOutcome()
        let store = store
        await environment.offload { box.set(Result { () throws(StoreFault) in try store.load() }) }
        let numbers = try box.get(store.file.path).get()
        looks.state.withLock { $0.numbers = numbers }
    }

    /// A local user or group has the name, or another name service gives it a number that no Entra group has here. A
    /// name that the settings have moved to another Entra group is still published with the number of the first.
    private func holder(of name: String, _ look: Look) async -> NumberHolder {
        if look.local.userNames.contains(name) || look.local.groupNames.contains(name) { return .somebody(name) }
        let now = environment.clock.bootTime()
        if let known = looks.state.withLock({ $0.names[name] }), now < known.until { return known.holder }
        guard !look.isSilent else { return .unknown("other name services did not answer about another name") }
        var holder = await environment.nameHolder(name)
        if case .somebody(let text) = holder, let number = UInt32(text),
            looks.state.withLock({ $0.numbers?.hasGroup(numbered: number) ?? false })
        {
            holder = .nobody
        }
        var until = now.advanced(by: EntraGroups.nameLifetime)
        if case .unknown = holder { until = now.advanced(by: EntraGroups.silenceLifetime) }
        looks.state.withLock { $0.names[name] = (holder, until) }
        return holder
    }

    /// The group's number, on disk before it is used; nil where there is none now. A number that a local user or group
    /// has, or another name service answers for, is passed over for ever (P5).
    private func number(of key: GroupNumbers.Group, _ local: LocalAccounts) async throws(StoreFault) -> UInt32? {
        guard var numbers = looks.state.withLock({ $0.numbers }) else { return nil }
        if let gid = numbers.gid(of: key) { return local.claims(id: gid) ? nil : gid }
        var taken: Set<UInt32> = []
        while true {
            var next = numbers
            guard let gid = next.bind(key, isTaken: { local.claims(id: $0) || taken.contains($0) }) else { return nil }
            switch await environment.numberHolder(gid) {
            case .unknown: return nil
            case .somebody: taken.insert(gid)
            case .nobody:
                numbers = next
                try await save(numbers)
                return gid
            }
        }
    }

    private func save(_ numbers: GroupNumbers) async throws(StoreFault) {
        let box = GroupOutcome()
        let store = store
        await environment.offload {
            do throws(FileError) {
                try store.save(numbers)
                box.set(.success(numbers))
            } catch {
                let remedy = "Make room, or fix the folder; it is tried again"
                box.set(.failure(StoreFault(path: store.file.path, line: nil, problem: "\(error)", remedy: remedy)))
            }
        }
        _ = try box.get(store.file.path).get()
        looks.state.withLock { $0.numbers = numbers }
    }
}

/// Carries a result out of work that was done elsewhere.
private final class GroupOutcome: Sendable {
    private let result = Mutex<Result<GroupNumbers, StoreFault>?>(nil)

    func set(_ new: Result<GroupNumbers, StoreFault>) { result.withLock { $0 = new } }

    func get(_ path: String) -> Result<GroupNumbers, StoreFault> {
        let stopping = StoreFault(
            path: path,
            line: nil,
            problem: "was not read: the disk's worker is stopping",
            remedy: ""
        )
        return result.withLock { $0 } ?? .failure(stopping)
    }
}
