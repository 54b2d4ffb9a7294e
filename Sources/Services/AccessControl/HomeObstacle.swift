// SPDX-License-Identifier: Apache-2.0

internal import Authorization

/// What is in the place of an account's home and cannot be its home, worded for the user and for the record.
struct HomeObstacle {
    let denial: Denial

    /// Nil if the home belongs to the account, or has yet to be made.
    init?(_ request: SessionRequest) {
        let home = request.home
        switch request.homeState {
        case .absent: return nil
        case .folder(let owner) where owner == request.uid: return nil
        case .folder(let owner):
            let other = owner == 0 ? "root" : "another user (uid \(owner))"
            let remedy = "chown -R \(request.uid):\(request.gid) \(home)"
            denial = Denial(
                .homeRefused,
                text: "Your home directory \(home) belongs to \(other)",
                detail: "\(home) belongs to uid \(owner); where it is this account's: \(remedy)"
            )
        case .exposed(let length):
            let folder = String(decoding: home.utf8.prefix(Int(length)), as: UTF8.self)
            let remedy = "chown root \(folder); chmod go-w \(folder)"
            denial = Denial(
                .homeRefused,
                text: "Others than root can write \(folder), in which your home directory is",
                detail: "others than root can write \(folder), above \(home): \(remedy)"
            )
        case .strange:
            denial = Denial(
                .homeRefused,
                text: "A link or a file stands where your home directory has to be (\(home))",
                detail: "\(home) is a link or no folder: move it away, and the home is made at the next sign-in"
            )
        }
    }
}
