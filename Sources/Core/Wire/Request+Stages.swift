// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import ByteCoding
internal import CWire

// The fields of the helper's and the PAM module's questions, in the order of entralogin_wire.h. Reading and writing
// stand side by side, so that they cannot drift apart unseen.

extension CertificateRequest {
    init(from payload: inout ByteReader) throws(ByteCodingError) {
        self.init(
            user: try payload.readWord(),
            uid: try payload.readUInt32(),
            home: try payload.readWord(),
            keyType: try payload.readWord(),
            certificate: try payload.readText(lengthPrefix: .two, limit: Int(ENTRALOGIN_CERTIFICATE_MAX)),
            sshdProcess: try payload.readUInt32()
        )
    }

    func encode(to writer: inout ByteWriter) throws(ByteCodingError) {
        try writer.writeWord(user)
        writer.write(uid)
        try writer.writeWord(home)
        try writer.writeWord(keyType)
        try writer.writeText(certificate, lengthPrefix: .two)
        writer.write(sshdProcess)
    }
}

extension AccountRequest {
    init(from payload: inout ByteReader) throws(ByteCodingError) {
        self.init(
            service: try payload.readWord(),
            user: try payload.readWord(),
            uid: try payload.readUInt32(),
            home: try payload.readWord(),
            invokingUser: try payload.readWord()
        )
        invokingUID = try payload.readOptionalID()
        let flags = UInt32(try payload.readUInt16())
        holdsAdministratorsGroup = flags & ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP != 0
        isInSSHD = flags & ENTRALOGIN_PAM_IN_SSHD != 0
        waits = flags & ENTRALOGIN_PAM_WAITS != 0
        isNameTaken = flags & ENTRALOGIN_PAM_NAME_TAKEN != 0
        terminal = try payload.readWord()
        remoteHost = try payload.readWord()
    }

    func encode(to writer: inout ByteWriter) throws(ByteCodingError) {
        try writer.writeWord(service)
        try writer.writeWord(user)
        writer.write(uid)
        try writer.writeWord(home)
        try writer.writeWord(invokingUser)
        writer.write(invokingUID ?? ENTRALOGIN_NO_ID)
        var flags: UInt32 = 0
        if holdsAdministratorsGroup { flags |= ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP }
        if isInSSHD { flags |= ENTRALOGIN_PAM_IN_SSHD }
        if waits { flags |= ENTRALOGIN_PAM_WAITS }
        if isNameTaken { flags |= ENTRALOGIN_PAM_NAME_TAKEN }
        writer.write(UInt16(flags))
        try writer.writeWord(terminal)
        try writer.writeWord(remoteHost)
    }
}

extension SessionRequest {
    init(from payload: inout ByteReader) throws(ByteCodingError) {
        self.init(
            service: try payload.readWord(),
            user: try payload.readWord(),
            uid: try payload.readUInt32(),
            gid: try payload.readUInt32(),
            home: try payload.readWord(),
            homeState: try HomeState(from: &payload),
            authenticationInfo: try payload.readText(lengthPrefix: .two, limit: Int(ENTRALOGIN_AUTH_INFO_MAX)),
            remoteHost: try payload.readWord()
        )
    }

    func encode(to writer: inout ByteWriter) throws(ByteCodingError) {
        try writer.writeWord(service)
        try writer.writeWord(user)
        writer.write(uid)
        writer.write(gid)
        try writer.writeWord(home)
        homeState.encode(to: &writer)
        try writer.writeText(authenticationInfo, lengthPrefix: .two)
        try writer.writeWord(remoteHost)
    }
}

extension DeviceRequest {
    init(from payload: inout ByteReader) throws(ByteCodingError) {
        let service = try payload.readWord()
        let user = try payload.readWord()
        let uid = try payload.readUInt32()
        let home = try payload.readWord()
        let flags = UInt32(try payload.readUInt16())
        self.init(
            service: service,
            user: user,
            uid: uid,
            home: home,
            holdsAdministratorsGroup: flags & ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP != 0,
            isInSSHD: flags & ENTRALOGIN_PAM_IN_SSHD != 0,
            terminal: try payload.readWord(),
            remoteHost: try payload.readWord(),
            realUID: try payload.readUInt32()
        )
    }

    func encode(to writer: inout ByteWriter) throws(ByteCodingError) {
        try writer.writeWord(service)
        try writer.writeWord(user)
        writer.write(uid)
        try writer.writeWord(home)
        var flags: UInt32 = 0
        if holdsAdministratorsGroup { flags |= ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP }
        if isInSSHD { flags |= ENTRALOGIN_PAM_IN_SSHD }
        writer.write(UInt16(flags))
        try writer.writeWord(terminal)
        try writer.writeWord(remoteHost)
        writer.write(realUID)
    }
}

extension HomeState {
    /// An unknown state reads as `strange`, and so does a folder without an owner.
    fileprivate init(from payload: inout ByteReader) throws(ByteCodingError) {
        let state = UInt32(try payload.readUInt16())
        let owner = try payload.readOptionalID()
        switch (state, owner) {
        case (ENTRALOGIN_HOME_ABSENT, nil): self = .absent
        case (ENTRALOGIN_HOME_FOLDER, let owner?): self = .folder(owner: owner)
        case (ENTRALOGIN_HOME_STRANGE, let length?): self = .exposed(length: length)
        default: self = .strange
        }
    }

    fileprivate func encode(to writer: inout ByteWriter) {
        switch self {
        case .absent:
            writer.write(UInt16(ENTRALOGIN_HOME_ABSENT))
            writer.write(ENTRALOGIN_NO_ID)
        case .folder(let owner):
            writer.write(UInt16(ENTRALOGIN_HOME_FOLDER))
            writer.write(owner)
        case .exposed(let length):
            writer.write(UInt16(ENTRALOGIN_HOME_STRANGE))
            writer.write(length)
        case .strange:
            writer.write(UInt16(ENTRALOGIN_HOME_STRANGE))
            writer.write(ENTRALOGIN_NO_ID)
        }
    }
}

extension ByteReader {
    /// An id, or nil for `ENTRALOGIN_NO_ID`.
    fileprivate mutating func readOptionalID() throws(ByteCodingError) -> UInt32? {
        let id = try readUInt32()
        return id == ENTRALOGIN_NO_ID ? nil : id
    }
}
