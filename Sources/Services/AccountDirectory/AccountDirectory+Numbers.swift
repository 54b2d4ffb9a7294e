// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Identity
internal import Synchronization

extension AccountDirectory {
    /// Asks whether another name service has the name: if it answers with another number than the name leads to here,
    /// the name is another user's. Asked only before root adds an account: a sign-in uses that service's record.
    func checkNobodyIs(_ account: Account) async throws(Denial) {
        switch await environment.nameHolder(account.name.text) {
        case .nobody, .somebody(String(account.systemUID)): return
        case .somebody(let number):
            throw Denial(
                .localAccount,
                text: "Another directory of this machine has that name",
                detail:
                    "getent gives \(account.name) the number \(number); a name that is taken is never an Entra account's"
            )
        case .unknown(let reason): throw Denial(silentDirectory: reason)
        }
    }

    /// Asks whether another name service has the short name, once for each account: a sign-in with the whole name has
    /// not asked for it. If one has it, the account gets its whole name from then on, so this sign-in is refused and
    /// the next one works (P6).
    func checkNobodyIsCalled(_ account: Account) async throws(Denial) {
        guard let short = account.shortName else { return }
        switch await environment.nameHolder(short.text) {
        case .nobody, .somebody(String(account.systemUID)): return
        case .somebody(let number):
            hold(short)
            throw Denial(held: short, of: account.name, detail: "getent gives \(short) the number \(number)")
        case .unknown(let reason): throw Denial(silentDirectory: reason)
        }
    }

    package func hold(_ name: ShortName) { state.withLock { _ = $0.heldNames.insert(name) } }

    /// Asks whether another name service has the number, once for each account: SSSD and FreeIPA may assign numbers of
    /// this range by default. Not asked when sshd looks the name up: then the user has proved nothing yet, and nothing
    /// may wait. If one has it, the account's next look-up leads to a number in another block, so this sign-in is
    /// refused and the next one works (P6).
    func checkNobodyHas(_ uid: PosixID, for account: Account) async throws(Denial) {
        switch await environment.holder(uid.number) {
        case .nobody: return
        // The record that sshd was given, from a cache (nscd, where ProvisionalCallers= names it).
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
