// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import LinuxSystem
internal import Synchronization

/// The Entra groups of `[Groups]` as Unix groups, and who is in them until when; published for NSS on a memory file
/// system.
///
/// A group is published where it has a number for ever, and a name that nobody else has here (P7). As with grants, a
/// membership is in force only while it is published, and where one cannot be taken away the whole file goes (P2).
package final class EntraGroups: MembershipRegistry {
    /// What it needs of the world.
    package struct Environment: Sendable {
        package var clock: any TimeSource
        package var boot: BootID
        package var offload: Offload
        /// The local users and groups; nil where they cannot be read.
        package var local: @Sendable () -> LocalAccounts?
        /// Who else has a number, and the number that other name services give a group of that name. Off the loop.
        package var numberHolder: @Sendable (UInt32) async -> NumberHolder
        package var nameHolder: @Sendable (String) async -> NumberHolder

        package init(
            clock: any TimeSource,
            boot: BootID,
            offload: @escaping Offload,
            local: @escaping @Sendable () -> LocalAccounts?,
            numberHolder: @escaping @Sendable (UInt32) async -> NumberHolder,
            nameHolder: @escaping @Sendable (String) async -> NumberHolder
        ) {
            self.clock = clock
            self.boot = boot
            self.offload = offload
            self.local = local
            self.numberHolder = numberHolder
            self.nameHolder = nameHolder
        }
    }

    /// A membership that lasts so little longer than the published one is not written again.
    private static let leastGain: UInt64 = 60

    struct Published: Hashable, Sendable {
        let group: EntraGroup
        let gid: UInt32
    }

    private struct Membership {
        /// As published.
        var expiry: UInt64
        /// By the last answer: hardly later.
        var end: UInt64
        var groups: Set<ObjectID>
    }

    private struct State {
        /// Nil before the first look.
        var published: [Published]?
        var people: [UInt32: Membership] = [:]
        var generation: UInt64 = 0
        /// The file does not say what stands here.
        var mustPublish = false
        var fault: String?
        /// The groups whose name is taken on this machine; and, for the others without a number, why.
        var held: [String] = []
        var trouble: [String] = []
    }

    let configured: [EntraGroup]
    let store: GroupNumberStore
    let environment: Environment
    private let file: AtomicFile
    // Held while the file is written, which on tmpfs waits for no disk.
    private let state = Mutex(State())
    let looks = GroupLooks()

    /// Publishes nothing yet: see `refresh`.
    package init(_ groups: [EntraGroup], store: GroupNumberStore, file: AtomicFile, environment: Environment) {
        configured = groups
        self.store = store
        self.file = file
        self.environment = environment
    }

    // MARK: For reports

    /// The names of `[Groups]` that a user or group of another source has: they are not published.
    package var heldNames: [String] { state.withLock { $0.held } }

    /// What could not be read, written or found out lately.
    package var warnings: [String] {
        state.withLock { state in state.trouble + [state.fault].compactMap(\.self) }
    }

    // MARK: Memberships

    package var groups: [ObjectID] { state.withLock { $0.published?.map(\.group.objectID) ?? [] } }

    package func hasGroup(named name: String) -> Bool {
        state.withLock { $0.published?.contains { $0.group.name == name } ?? false }
    }

    package func set(uid: PosixID, in groups: Set<ObjectID>, until expiry: BootTime) {
        let now = self.now
        let seconds = UInt64(max(0, expiry.sinceBoot.components.seconds))
        state.withLock { state in
            guard state.published != nil else { return }
            let before = state.people[uid.number]
            let new =
                groups.isEmpty || seconds <= now ? nil : Membership(expiry: seconds, end: seconds, groups: groups)
            if let before, let new, before.groups == new.groups, before.expiry <= new.expiry,
                new.expiry - before.expiry < EntraGroups.leastGain, before.expiry > now, !state.mustPublish
            {
                state.people[uid.number]?.end = max(before.end, new.end)
                return
            }
            guard before != nil || new != nil else { return }
            let isLess = before.map { !$0.groups.isSubset(of: new?.groups ?? []) } ?? false
            change(uid.number, to: new, isLess: isLess, &state)
        }
    }

    package func lower(uid: PosixID, to groups: Set<ObjectID>) {
        state.withLock { state in
            guard let before = state.people[uid.number] else { return }
            let rest = before.groups.intersection(groups)
            guard rest != before.groups || state.mustPublish else { return }
            let new = rest.isEmpty ? nil : Membership(expiry: before.expiry, end: before.end, groups: rest)
            change(uid.number, to: new, isLess: true, &state)
        }
    }

    package func names(of uid: PosixID, until time: BootTime) -> [String] {
        let (now, last) = (self.now, UInt64(max(0, time.sinceBoot.components.seconds)))
        return state.withLock { state in
            guard let person = state.people[uid.number], person.expiry > now, person.end >= last, !state.mustPublish
            else { return [] }
            let names = (state.published ?? []).filter { person.groups.contains($0.group.objectID) }.map(\.group.name)
            return names.sorted()
        }
    }

    /// Rather nobody than one too many: where less could not be written, the file goes, and the others come back with
    /// the next publication.
    private func change(_ uid: UInt32, to new: Membership?, isLess: Bool, _ state: inout State) {
        let now = self.now
        let before = state.people
        state.people = before.filter { $0.value.expiry > now }
        if new != nil, state.people[uid] == nil, state.people.count >= GroupSnapshot.limit {
            state.fault = "more people are in Entra groups than can be published"
            return
        }
        state.people[uid] = new
        publish(&state)
        guard state.mustPublish else { return }
        if isLess { try? file.remove() } else { state.people = before }
    }

    // MARK: Publishing

    /// What is published from now on. The first time, the people that the file of this boot still names are taken over,
    /// so that a restart of the daemon ends no membership.
    func settle(_ published: [Published], held: [String], trouble: [String]) {
        let boot = environment.boot
        state.withLock { state in
            state.held = held
            state.trouble = trouble
            if state.published == nil { takeOver(published, boot, &state) }
            guard state.published != published || state.mustPublish else { return }
            state.published = published
            publish(&state)
            if state.mustPublish { try? file.remove() }
        }
    }

    /// What is published stays.
    func note(trouble: String) { state.withLock { $0.trouble = [trouble] } }

    private func takeOver(_ published: [Published], _ boot: BootID, _ state: inout State) {
        let groups = published.map { GroupSnapshot.Group(name: $0.group.name, gid: $0.gid) }
        guard let bytes = try? file.read(limit: GroupSnapshot.fileLimit, requiring: .ownOrRoots),
            let found = GroupSnapshot.read(bytes, boot: boot, of: groups)
        else { return }
        state.generation = found.generation
        state.published = published
        let now = self.now
        for (uid, person) in found.snapshot.people where person.expiry > now {
            let members = published.indices.filter { person.places >> UInt64($0) & 1 == 1 }
            let groups = Set(members.map { published[$0].group.objectID })
            state.people[uid] = Membership(expiry: person.expiry, end: person.expiry, groups: groups)
        }
    }

    private func publish(_ state: inout State) {
        let published = state.published ?? []
        var snapshot = GroupSnapshot(groups: published.map { GroupSnapshot.Group(name: $0.group.name, gid: $0.gid) })
        for (uid, person) in state.people {
            var places: UInt64 = 0
            for (place, group) in published.enumerated() where person.groups.contains(group.group.objectID) {
                places |= 1 << UInt64(place)
            }
            if places != 0 { snapshot.people[uid] = GroupSnapshot.Person(expiry: person.expiry, places: places) }
        }
        do throws(FileError) {
            let bytes = snapshot.bytes(boot: environment.boot, generation: state.generation + 1)
            try file.replace(with: bytes, mode: 0o644)
            state.fault = nil
        } catch {
            // In place is enough here: a power cut ends all memberships anyway.
            state.fault = error.isInPlace ? nil : "\(error)"
        }
        state.mustPublish = state.fault != nil
        if !state.mustPublish { state.generation += 1 }
    }

    /// Whole seconds, rounded down like expiries.
    private var now: UInt64 { UInt64(max(0, environment.clock.bootTime().sinceBoot.components.seconds)) }
}
