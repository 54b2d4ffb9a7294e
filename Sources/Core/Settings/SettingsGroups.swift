// SPDX-License-Identifier: Apache-2.0

internal import Identity

// [Groups] has the administrator's own keys: the names of groups.

extension EffectiveSettings {
    static let groupsSection = "Groups"

    /// `name=object id`; without a value the line is taken back.
    mutating func assignGroup(_ name: String, _ value: String, at origin: Origin) throws(SettingsFlaw) {
        if let flaw = EntraGroup.flaw(of: name) { throw SettingsFlaw("\(quoted(name)) in [Groups] \(flaw)") }
        let place = "\(EffectiveSettings.groupsSection).\(name)"
        var groups = values.groups.filter { $0.name != name }
        guard !value.isEmpty else {
            values.groups = groups
            origins[place] = nil
            return
        }
        guard let objectID = ObjectID(value) else {
            throw SettingsFlaw("\(name)=\(quoted(value)): must be the object id of an Entra group, a GUID")
        }
        guard groups.count < EntraGroup.limit else {
            throw SettingsFlaw("\(name)=: more than \(EntraGroup.limit) groups")
        }
        groups.append(EntraGroup(name: name, objectID: objectID))
        values.groups = groups.sorted { $0.name < $1.name }
        origins[place] = origin
    }

    /// What two lines must not say together: one Entra group under two names, or a name that entralogin has.
    func groupFlaws() -> [(name: String, text: String)] {
        let shared = [values.accounts.usersGroup, values.accounts.administratorsGroup]
        return values.groups.compactMap { group in
            if shared.contains(group.name) {
                return (group.name, "\(group.name)= is UsersGroup= or AdministratorsGroup=")
            }
            guard let other = values.groups.first(where: { $0.objectID == group.objectID }), other.name != group.name
            else {
                return nil
            }
            return (group.name, "\(group.name)= has the object id of \(other.name)=")
        }
    }
}
