// SPDX-License-Identifier: Apache-2.0

internal import Identity

// The requests of the modules and the helper, as values. entralogin_wire.h specifies their layout; nothing in them is
// trusted beyond what SO_PEERCRED proves about the process that sent them.

/// What sshd passed to AuthorizedPrincipalsCommand.
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
    /// `PAM_USER`: the name that was typed.
    package var user: String
    /// The record that NSS gives for that name in the asking process.
    package var uid: UInt32
    package var home: String
    /// `PAM_RUSER`, or empty; and the invoking user's uid (sudo, su), or nil.
    package var invokingUser: String
    package var invokingUID: UInt32?
    /// The process has the administrators' gid among its groups.
    package var holdsAdministratorsGroup: Bool
    /// The process is an sshd, whatever its service is called.
    package var isInSSHD: Bool
    /// A batch service that can wait: it asks again if the answer is `pending`.
    package var waits: Bool
    /// The account's short name leads to another user's record in that process.
    package var isNameTaken = false
    /// `PAM_TTY`, or empty; from sudo's plugin: the group that it asks about.
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
    /// The Unix group of an Entra group that sudo's plugin asks about; nil if it asks about the administrators, and in
    /// all other requests. Even if a PAM service has the plugin's name, no terminal has a name of this form.
    package var groupAskedFor: String? {
        ServicePolicy.asksForMembership(service) && EntraGroup.flaw(of: terminal) == nil ? terminal : nil
    }
}

/// What root finds at the path of the home; a link there is not followed.
package enum HomeState: Hashable, Sendable {
    case absent
    /// A real folder and its owner.
    case folder(owner: UInt32)
    /// Below a folder that users other than root can write or own: its path is the first `length` bytes of the home's.
    case exposed(length: UInt32)
    /// A link, a file, or an invalid path.
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

/// The auth stage of PAM: a user at a terminal wants to sign in with a code.
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
    /// Real uid of the asking process: the user who runs su; 0 for login, and for sudo, which has changed it by then.
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
    /// sudo asks its invoker to prove who they are: that is not a sign-in and opens no session.
    package var isStepUp: Bool { PAMServices.stepUp.contains(service) }
}

/// How far a sign-in with a code has come.
package enum DeviceProgress: Hashable, Sendable {
    /// It has not ended. `handle` identifies it to the daemon and is no secret: it is valid only in the process that
    /// began it. `text` is for the user, empty after the first answer; `seconds` is the time left.
    case pending(handle: String, text: String, seconds: UInt32)
    /// It has ended, with a verdict as in the other stages.
    case over(StageVerdict)
}

/// The answer to a PAM stage.
package enum StageVerdict: Hashable, Sendable {
    case allow
    /// No Entra account is concerned.
    case ignore
    /// Azure has not answered about the account yet: only for clients that wait (`AccountRequest.waits`). Not recorded.
    case pending
    /// `text`: one plain line for the user, with the reason and the correlation id.
    case deny(Denial, text: String)
}
