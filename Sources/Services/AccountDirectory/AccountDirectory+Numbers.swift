// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Identity
internal import Synchronization

extension AccountDirectory {
    /// Asks whether another name service has the name: a number that it answers with, and that is not the one that the name
    /// leads to here, is somebody else's. Only before root adds an account: at a sign-in sshd goes by that service's record.
    func checkNobodyIs(_ account: Account) async throws(Denial) {
        switch await surroundings.nameHolder(account.name.text) {
        case .nobody, .somebody(String(account.systemUID)): return
        case .somebody(let number):
            throw Denial(
                .localAccount,
                text: "Another directory of this machine has that name",
                detail:
                    "getent gives \(account.name) the number \(number); a name that somebody has is never an Entra account's"
            )
        case .unknown(let reason): throw Denial(silentDirectory: reason)
        }
    }

    /// Asks whether another name service has the short name, once for each account: who signs in with the whole one had nobody
    /// asked about it. Where it has, the account gets its whole name from then on, so this sign-in is refused and the next one
    /// works (P6).
    func checkNobodyIsCalled(_ account: Account) async throws(Denial) {
        guard let short = account.shortName else { return }
        switch await surroundings.nameHolder(short.text) {
        case .nobody, .somebody(String(account.systemUID)): return
        case .somebody(let number):
            hold(short)
            throw Denial(held: short, of: account.name, detail: "getent gives \(short) the number \(number)")
        case .unknown(let reason): throw Denial(silentDirectory: reason)
        }
    }

    package func hold(_ name: ShortName) { state.withLock { _ = $0.heldNames.insert(name) } }

    /// Asks whether another name service has the number, once for each account: SSSD and FreeIPA may give out numbers of this
    /// range by default. Here and not when sshd looks the name up, where nobody has proved anything and nothing may wait. Where
    /// it has, the account's next look-up leads to a number elsewhere, so this sign-in is refused and the next one works (P6).
    func checkNobodyHas(_ uid: PosixID, for account: Account) async throws(Denial) {
        switch await surroundings.holder(uid.number) {
        case .nobody: return
        // The record that sshd was given, which a cache kept (nscd, where ProvisionalCallers= has it).
        case .somebody(account.systemName): return
        case .somebody(let holder):
            state.withLock { _ = $0.others.insert(uid.number / IDAllocation.othersBlock) }
            throw Denial(
                .numberTaken,
                detail:
                    "another directory's \(holder) has \(uid), the number that \(account.name) would have got; see IDRange="
            )
        case .unknown(let reason): throw Denial(silentDirectory: reason)
        }
    }
}

extension Denial {
    fileprivate init(silentDirectory reason: String) {
        let text = "Another directory of this machine does not say whose numbers are taken: please try again"
        self.init(.enrolmentFailed, text: text, detail: reason)
    }
}
