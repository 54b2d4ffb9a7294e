// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// Checks whether other directories assign numbers from the range of new Entra accounts: by SSSD's configuration,
/// before any account has one, and by asking the directories. An overlap does not affect their users, and an Entra
/// account never gets a number that one of them has; but they may get a number that an Entra account has.
package struct NumbersRule: Sendable {
    /// The range from which new accounts get their numbers.
    let numbers: ClosedRange<UInt32>

    /// `numbers`: the range from which new accounts get theirs.
    package init(numbers: ClosedRange<UInt32>) { self.numbers = numbers }

    /// How many accounts the directories are asked about.
    private static let accountLimit = 2_000
    /// Users that SSSD's mapping (RID 500, the administrator) and FreeIPA's installation (the first of its range)
    /// always make, as an offset in each block of numbers.
    private static let firstUsers: [UInt32] = [0, 500]
    /// The end of the last block that either assigns by default.
    private static let lastDefault: UInt32 = 2_000_199_999

    // MARK: By SSSD's configuration

    func configured(_ machine: any HostView) -> [Finding] {
        guard others(machine).contains("sss") else { return [] }
        let domains = SSSDConfiguration(machine).domains
        return domains.compactMap { domain in
            guard let theirs = domain.numbers, theirs.overlaps(numbers) else { return nil }
            return overlap(
                "SSSD's domain \(domain.name) may give its users numbers of \(theirs.lowerBound)-\(theirs.upperBound)",
                beyond: theirs.upperBound,
                place: domain.place
            )
        }
    }

    private func overlap(_ found: String, beyond last: UInt32, place: String? = nil) -> Finding {
        let all = PosixID.userRange
        let isRoom = last < all.upperBound && all.upperBound - last >= IDAllocation.probeLimit
        let elsewhere = "first-last, where no other directory has any"
        let free = isRoom ? "\(max(last + 1, all.lowerBound))-\(all.upperBound)" : elsewhere
        return Finding(
            .idsDirectory,
            .warning,
            "\(found), where new Entra accounts get theirs",
            place: place,
            needed: "numbers of new accounts outside of theirs",
            remedy: "IDRange=\(free) in entralogin.conf; accounts that there are keep their numbers"
        )
    }

    // MARK: By asking

    package func asked(_ machine: any HostView) -> [Finding] {
        let accounts = NumbersRule.accounts(machine)
        return others(machine).flatMap { service in
            let result = NumbersRule.ask(service, accounts.keys.sorted() + [numbers.lowerBound], machine)
            // getent(1): status 2 means that one of the keys was not found.
            guard result.status == 0 || result.status == 2 else { return [silent(service)] }
            // SSSD asks a server for numbers that it does not map itself: that may take too long, and proves nothing
            // then.
            let samples = service == "sss" ? NumbersRule.ask(service, firstNumbers, machine).output : ""
            return findings(in: result.output + samples, of: service, accounts)
        }
    }

    private static func ask(_ service: String, _ numbers: [UInt32], _ machine: any HostView) -> ProgramResult {
        machine.run("/usr/bin/getent", ["-s", service, "passwd"] + numbers.map(String.init))
    }

    private var firstNumbers: [UInt32] {
        let block = IDAllocation.othersBlock
        let last = min(numbers.upperBound, NumbersRule.lastDefault)
        guard numbers.lowerBound <= last else { return [] }
        return (numbers.lowerBound / block...last / block)
            .flatMap { number in NumbersRule.firstUsers.map { number * block + $0 } }.filter(numbers.contains)
    }

    private func findings(in output: String, of service: String, _ accounts: [UInt32: Substring]) -> [Finding] {
        let users = output.lines.compactMap { line -> (name: Substring, number: UInt32)? in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 2, let number = UInt32(fields[2]) else { return nil }
            return (fields[0], number)
        }
        // systemd's user database may answer with the account itself.
        let shared = users.filter { user in
            accounts[user.number].map { $0 != user.name && !$0.hasPrefix("\(user.name)@") } ?? false
        }
        let found = shared.prefix(20).map { user in
            Finding(
                .idsTaken,
                .warning,
                "\(user.name) of \(service) has the number \(user.number) of the Entra account"
                    + " \(accounts[user.number] ?? ""): each can read the other's files",
                needed: "a number of its own for each",
                remedy: "give \(user.name) another number in its directory"
            )
        }
        guard let user = users.first(where: { accounts[$0.number] == nil && numbers.contains($0.number) }) else {
            return found
        }
        let block = IDAllocation.othersBlock
        let what = "\(service) has \(user.name) with the number \(user.number)"
        return found + [overlap(what, beyond: user.number / block * block + (block - 1))]
    }

    private func silent(_ service: String) -> Finding {
        Finding(
            .idsDirectory,
            .warning,
            "the name service \(service) does not say whether it has numbers of Entra accounts",
            needed: "an answer of: getent -s \(service) passwd NUMBER",
            remedy: "look after it; while it does not answer, no Entra account signs in the first time"
        )
    }

    /// The services of passwd in nsswitch.conf that are neither the local files nor entralogin.
    private func others(_ machine: any HostView) -> [String] {
        guard let text = try? machine.text(of: NameServiceRule.path),
            let line = NameServiceRule.databases(of: text)["passwd"]
        else { return [] }
        return line.words.filter { !$0.hasPrefix("[") && $0 != "files" && !NameServiceRule.services.contains($0) }
    }

    /// The enrolled accounts by number, as the store has them (StoreFormat of AccountDirectory), retired ones included.
    private static func accounts(_ machine: any HostView) -> [UInt32: Substring] {
        let text = try? machine.text(of: CoveredDomains.accounts, limit: CoveredDomains.accountsLimit)
        let lines = (text ?? "").lines.filter { $0.hasPrefix("account ") }
        return lines.suffix(accountLimit).reduce(into: [:]) { accounts, line in
            let words = line.split(separator: " ")
            guard words.count > 2, words[2].hasPrefix("uid="), let number = UInt32(words[2].dropFirst(4)) else {
                return
            }
            accounts[number] = words[1]
        }
    }
}
