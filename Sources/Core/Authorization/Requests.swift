// SPDX-License-Identifier: Apache-2.0

internal import Identity

// The questions of the modules and the helper, as values. The layout on the wire is entralogin_wire.h; nothing in them
// is trusted beyond what SO_PEERCRED proves of the process that sent them.

/// What sshd handed to AuthorizedPrincipalsCommand.
package struct CertificateRequest: Hashable, Sendable {
    /// `%u`: the canonical name that NSS gave.
    package var user: String
    /// `%U` and `%h`: sshd's own record, taken before authentication (P6).
    package var uid: UInt32
    package var home: String
    /// `%t`, for example `ssh-rsa-cert-v01@openssh.com`.
    package var keyType: String
    /// `%k`: the certificate in base64.
    package var certificate: String
    /// The sshd process that ran the helper.
    package var sshdProcess: UInt32

    package init(
        user: String,
        uid: UInt32,
        home: String,
        keyType: String,
        certificate: String,
        sshdProcess: UInt32
    ) {
        self.user = user
        self.uid = uid
        self.home = home
        self.keyType = keyType
        self.certificate = certificate
        self.sshdProcess = sshdProcess
    }
}

/// The account stage of PAM, for any service.
package struct AccountRequest: Hashable, Sendable {
    package var service: String
    /// `PAM_USER`: what was typed.
    package var user: String
    /// The record that NSS gives for that name in the asking process.
    package var uid: UInt32
    package var home: String
    /// `PAM_RUSER`, or empty; and the uid that asks (sudo, su), or nil.
    package var invokingUser: String
    package var invokingUID: UInt32?
    /// The process has the administrators' gid among its groups.
    package var holdsAdministratorsGroup: Bool
    /// The process is an sshd, whatever its service is called.
    package var isInSSHD: Bool
    /// A batch service that can wait: it asks again where the answer is `pending`.
    package var waits: Bool
    /// The account's short name leads to another user's record there.
    package var isNameTaken = false
    /// `PAM_TTY`, or empty; of sudo's plugin the group that it asks about.
    package var terminal: String
    package var remoteHost: String

    package init(
        service: String,
        user: String,
        uid: UInt32,
        home: String,
        invokingUser: String = "",
        invokingUID: UInt32? = nil,
        holdsAdministratorsGroup: Bool = false,
        isInSSHD: Bool = false,
        waits: Bool = false,
        terminal: String = "",
        remoteHost: String = ""
    ) {
        self.service = service
        self.user = user
        self.uid = uid
        self.home = home
        self.invokingUser = invokingUser
        self.invokingUID = invokingUID
        self.holdsAdministratorsGroup = holdsAdministratorsGroup
        self.isInSSHD = isInSSHD
        self.waits = waits
        self.terminal = terminal
        self.remoteHost = remoteHost
    }
}

extension AccountRequest {
    /// The Unix group of an Entra group's that sudo's plugin asks about; nil where it asks about the administrators,
    /// and for everybody else's questions. No terminal has such a name, should a PAM service be called as the plugin.
    package var groupAskedFor: String? {
        ServicePolicy.asksForMembership(service) && EntraGroup.flaw(of: terminal) == nil ? terminal : nil
    }
}

/// What stands at the path of the home, seen by root without following a link there.
package enum HomeState: Hashable, Sendable {
    case absent
    /// A real folder and its owner.
    case folder(owner: UInt32)
    /// Below a folder that others than root can write, or own: its path is the first `length` bytes of the home's.
    case exposed(length: UInt32)
    /// A link, a file, or a path that is none.
    case strange
}

/// sshd is about to open the session.
package struct SessionRequest: Hashable, Sendable {
    package var service: String
    package var user: String
    package var uid: UInt32
    package var gid: UInt32
    package var home: String
    package var homeState: HomeState
    /// `SSH_AUTH_INFO_0` of sshd's PAM environment: one line for each credential that was used.
    package var authenticationInfo: String
    package var remoteHost: String

    package init(
        service: String,
        user: String,
        uid: UInt32,
        gid: UInt32,
        home: String,
        homeState: HomeState,
        authenticationInfo: String,
        remoteHost: String = ""
    ) {
        self.service = service
        self.user = user
        self.uid = uid
        self.gid = gid
        self.home = home
        self.homeState = homeState
        self.authenticationInfo = authenticationInfo
        self.remoteHost = remoteHost
    }
}

/// The auth stage of PAM: somebody at a terminal wants to sign in with a code.
package struct DeviceRequest: Hashable, Sendable {
    package var service: String
    /// `PAM_USER`, and the record that NSS gives for it in the asking process.
    package var user: String
    package var uid: UInt32
    package var home: String
    /// The process has the administrators' gid among its groups.
    package var holdsAdministratorsGroup: Bool
    /// The process is an sshd, whatever its service is called.
    package var isInSSHD: Bool
    package var terminal: String
    package var remoteHost: String
    /// Of the asking process: the user who runs su; 0 for login, and for sudo, which has changed it by then.
    package var realUID: UInt32

    package init(
        service: String,
        user: String,
        uid: UInt32,
        home: String,
        holdsAdministratorsGroup: Bool = false,
        isInSSHD: Bool = false,
        terminal: String = "",
        remoteHost: String = "",
        realUID: UInt32 = 0
    ) {
        self.service = service
        self.user = user
        self.uid = uid
        self.home = home
        self.holdsAdministratorsGroup = holdsAdministratorsGroup
        self.isInSSHD = isInSSHD
        self.terminal = terminal
        self.remoteHost = remoteHost
        self.realUID = realUID
    }
}

extension DeviceRequest {
    /// sudo asks its invoker to prove who they are: that opens no session and is no sign-in.
    package var isStepUp: Bool { PAMServices.stepUp.contains(service) }
}

/// How far a sign-in with a code has come.
package enum DeviceProgress: Hashable, Sendable {
    /// It has not ended. `handle` names it to the daemon and is no secret: it counts in the process that began it only.
    /// `text` is for the person, empty after the first answer; `seconds` are left.
    case pending(handle: String, text: String, seconds: UInt32)
    /// Its end, as in the other stages.
    case over(StageVerdict)
}

/// The answer to a PAM stage.
package enum StageVerdict: Hashable, Sendable {
    case allow
    /// Entra accounts are not concerned.
    case ignore
    /// Azure has not answered yet about the account: only to who waits for that (`AccountRequest.waits`). Recorded nowhere.
    case pending
    /// One plain line for the person, with the reason and the correlation id.
    case deny(Denial, text: String)
}
