// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import PAM
import Synchronization
import TestSupport

/// A PAM handle with the items that a service would have set, and a user whose conversation records what it shows.
final class FakeStack {
    static let uid = ENTRALOGIN_ID_FIRST + 7_000
    static let name = "alice@contoso.com"
    /// A mapped account: in the local files, with the uid that it had before.
    static let mapped = "adam@contoso.com"
    static let mappedUID: UInt32 = 1_001
    /// Users of another directory with uids in entralogin's id range: a plain one, one whose name can be an Entra
    /// account's, and one about whose name and uid the name services do not agree.
    static let theirs: (name: String, uid: UInt32) = ("theirs", ENTRALOGIN_ID_FIRST + 900_000)
    static let joe: (name: String, uid: UInt32) = ("joe@corp.example", ENTRALOGIN_ID_FIRST + 900_001)
    static let twin: (name: String, uid: UInt32) = ("twin@corp.example", ENTRALOGIN_ID_FIRST + 900_002)
    /// The uid of a retired Entra account that a cache of the name service still has.
    static let retired = ENTRALOGIN_ID_FIRST + 900_003
    /// The name and the password field that the name services have for a uid.
    private static let numbers: [UInt32: (name: String, password: String)] = [
        theirs.uid: (theirs.name, "*"), joe.uid: (joe.name, "*"), twin.uid: ("another", "*"),
        mappedUID: ("earlier", "x"), 1_005: ("newbie", "x"), 1_006: ("renamed", ENTRALOGIN_MAPPED_MARK),
        1_007: ("zed@contoso.com", "x"), retired: ("old@contoso.com", ENTRALOGIN_NO_PASSWORD),
    ]

    /// Accounts with short names. Another account has tim's name by now, and the caller's limits prevent the
    /// lookup of the third one.
    static let sue: (name: String, uid: UInt32) = ("sue", ENTRALOGIN_ID_FIRST + 8_000)
    static let tim: (name: String, uid: UInt32) = ("tim", ENTRALOGIN_ID_FIRST + 8_001)
    static let starved = "max"

    private let folder = TemporaryFolder()
    private let person = Person()
    private let handle: OpaquePointer

    private final class Person {
        var lines: [String] = []
        var information: [String] = []
        var questions: [String] = []
        var typing: String?
    }

    init(
        service: String = "sshd",
        user: String? = FakeStack.name,
        invoking: String? = nil,
        environment: String? = nil,
        typing: String? = nil,
        terminal: String = "ssh"
    ) {
        person.typing = typing
        // libpam needs a stack for each service: one that permits all. The tests call entralogin's module directly.
        let permit = ["auth", "account", "session", "password"].map { "\($0) required pam_permit.so\n" }.joined()
        folder.write(Array(permit.utf8), to: service)
        folder.write(Array(permit.utf8), to: "other")
        var conversation = pam_conv(conv: Self.converse, appdata_ptr: Unmanaged.passUnretained(person).toOpaque())
        var made: OpaquePointer?
        let started = pam_start_confdir(service, user, &conversation, folder.path, &made)
        guard started == PAM_SUCCESS, let made else { preconditionFailure("pam_start: \(started)") }
        handle = made
        if !terminal.isEmpty { set(PAM_TTY, terminal) }
        set(PAM_RHOST, "192.0.2.7")
        if let invoking { set(PAM_RUSER, invoking) }
        if let environment { pam_putenv(handle, "SSH_AUTH_INFO_0=\(environment)") }
    }

    deinit {
        let key = UInt(bitPattern: handle)
        Self.kept.withLock { $0[key] = nil }
        pam_end(handle, PAM_SUCCESS)
    }

    /// A variable of the transaction's own environment.
    func variable(_ name: String) -> String? { pam_getenv(handle, name).map { String(cString: $0) } }

    var user: String? {
        var value: UnsafeRawPointer?
        guard pam_get_item(handle, PAM_USER, &value) == PAM_SUCCESS else { return nil }
        return value.map { String(cString: $0.assumingMemoryBound(to: CChar.self)) }
    }

    /// The error messages that the user was shown.
    var lines: [String] { person.lines }
    /// The information that the user was shown, and the prompts.
    var information: [String] { person.information }
    var questions: [String] { person.questions }

    /// The data that the module keeps with a handle: libpam's own functions for that work only inside a stack.
    private static let kept = Mutex<[UInt: UInt]>([:])

    private static let keep:
        @convention(c) (
            OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutableRawPointer?,
            (@convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, Int32) -> Void)?
        ) -> Int32 = { handle, _, data, _ in
            let (key, value) = (UInt(bitPattern: handle), data.map { UInt(bitPattern: $0) })
            kept.withLock { $0[key] = value }
            return PAM_SUCCESS
        }

    private static let lookForKept:
        @convention(c) (
            OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutablePointer<UnsafeRawPointer?>?
        ) -> Int32 = { handle, _, data in
            let key = UInt(bitPattern: handle)
            guard let found = kept.withLock({ $0[key] }) else { return PAM_NO_MODULE_DATA }
            data?.pointee = UnsafeRawPointer(bitPattern: found)
            return PAM_SUCCESS
        }

    private func set(_ item: Int32, _ text: String) { _ = text.withCString { pam_set_item(handle, item, $0) } }

    private static let converse:
        @convention(c) (
            Int32, UnsafeMutablePointer<UnsafePointer<pam_message>?>?,
            UnsafeMutablePointer<UnsafeMutablePointer<pam_response>?>?, UnsafeMutableRawPointer?
        ) -> Int32 = { count, messages, responses, person in
            guard let person, let messages, count == 1, let message = messages[0]?.pointee else { return PAM_CONV_ERR }
            let reader = Unmanaged<Person>.fromOpaque(person).takeUnretainedValue()
            let text = String(cString: message.msg)
            switch message.msg_style {
            case PAM_ERROR_MSG: reader.lines.append(text)
            case PAM_TEXT_INFO: reader.information.append(text)
            default:
                reader.questions.append(text)
                // End of input.
                guard let typing = reader.typing else { return PAM_CONV_ERR }
                let response = calloc(1, MemoryLayout<pam_response>.size)?.assumingMemoryBound(to: pam_response.self)
                response?.pointee.resp = strdup(typing)
                responses?.pointee = response
            }
            return PAM_SUCCESS
        }

    /// The names that the fake name services know. One of them ignores case, as another module on a machine might.
    private static let lookUp:
        @convention(c) (
            UnsafePointer<CChar>?, UnsafeMutablePointer<passwd>?, UnsafeMutablePointer<CChar>?, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>?
        ) -> Int32 = { name, record, buffer, size, found in
            guard let name, let record, let buffer, let found else { return EINVAL }
            let local: [String: (UInt32, String)] = [
                FakeStack.mapped: (FakeStack.mappedUID, ENTRALOGIN_MAPPED_MARK),
                // pwconv(8) puts an x there.
                "shadowed@contoso.com": (1_002, "x"), "local@contoso.com": (1_003, "x"),
                "moved@contoso.com": (1_004, ENTRALOGIN_MAPPED_MARK),
            ]
            let known: [String: (String, UInt32, String)] = [
                FakeStack.name: (FakeStack.name, FakeStack.uid, "/home/\(FakeStack.name)"),
                "Alice@contoso.com": (FakeStack.name, FakeStack.uid, "/home/\(FakeStack.name)"),
                "directory@contoso.com": ("directory@contoso.com", 500_000, "/home/directory"),
                theirs.name: (theirs.name, theirs.uid, "/home/theirs"), joe.name: (joe.name, joe.uid, "/home/joe"),
                "Joe@corp.example": (joe.name, joe.uid, "/home/joe"), twin.name: (twin.name, twin.uid, "/home/twin"),
                sue.name: (sue.name, sue.uid, "/home/sue"), "\(sue.name)@contoso.com": (sue.name, sue.uid, "/home/sue"),
                tim.name: (tim.name, 1_010, "/home/local"), "\(tim.name)@contoso.com": (tim.name, tim.uid, "/home/tim"),
                "root": ("root", 0, "/root"), "bob": ("bob", 1_000, "/home/bob"),
            ]
            found.pointee = nil
            if String(cString: name) == "broken@contoso.com" { return EIO }
            if String(cString: name) == starved { return EMFILE }
            let asked = String(cString: name)
            let here = local[asked].map { (asked, $0.0, "/home/\(asked)") }
            guard let (canonical, uid, home) = known[asked] ?? here else { return 0 }
            let isOurs = [FakeStack.uid, sue.uid, tim.uid].contains(uid)
            let password = isOurs ? ENTRALOGIN_NO_PASSWORD : local[asked]?.1 ?? "*"
            guard pack([canonical, home, password], uid, record, buffer, size) else { return ERANGE }
            found.pointee = record
            return 0
        }

    private static func pack(
        _ texts: [String],
        _ uid: UInt32,
        _ record: UnsafeMutablePointer<passwd>,
        _ buffer: UnsafeMutablePointer<CChar>,
        _ size: Int
    ) -> Bool {
        let texts = texts.map { Array($0.utf8CString) }
        guard texts.joined().count <= size else { return false }
        for (index, byte) in texts.joined().enumerated() { buffer[index] = byte }
        record.pointee = passwd()
        record.pointee.pw_name = buffer
        record.pointee.pw_dir = buffer + texts[0].count
        record.pointee.pw_passwd = buffer + texts[0].count + texts[1].count
        record.pointee.pw_uid = uid
        record.pointee.pw_gid = uid
        return true
    }

    typealias NumberLookUp =
        @convention(c) (
            uid_t, UnsafeMutablePointer<passwd>?, UnsafeMutablePointer<CChar>?, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>?
        ) -> Int32

    private static let lookUpNumber: NumberLookUp = { number, record, buffer, size, found in
        guard let record, let buffer, let found else { return EINVAL }
        found.pointee = nil
        guard let (name, password) = numbers[number] else { return 0 }
        guard pack([name, "/home/\(name)", password], number, record, buffer, size) else { return ERANGE }
        found.pointee = record
        return 0
    }

    private static let root: @convention(c) () -> uid_t = { 0 }
    private static let current: @convention(c) () -> uid_t = { FakeStack.uid }
    private static let mappedPerson: @convention(c) () -> uid_t = { FakeStack.mappedUID }

    enum Stage { case authenticate, setcred, account, open, close }

    /// Runs one stage. `ownRealUID`: the process runs as alice. `loginUID`: the content of the login record.
    func run(
        _ stage: Stage,
        _ daemon: entralogin_server,
        ownRealUID: Bool = false,
        asMapped: Bool = false,
        realUID: (@convention(c) () -> uid_t)? = nil,
        list: String? = nil,
        accounts: [UInt8]? = nil,
        hasAnswered: Bool = true,
        batchTimes: entralogin_batch_times = entralogin_batch_times(deadline: 60_000, silence: 10_000, pause: 1),
        lookUpNumber: NumberLookUp? = nil,
        rules: String? = nil,
        lookUpGroup: @escaping GroupLookUp = FakeStack.lookUpGroup,
        listGroups: @escaping GroupList = FakeStack.listGroups,
        loginUID: String = "4294967295",
        silent: Bool = false,
        shortNames: Bool = false,
        arguments: Int32 = 0
    ) -> Int32 {
        folder.write(Array(loginUID.utf8), to: "loginuid")
        if let list { folder.write(Array(list.utf8), to: "adopted") }
        if let accounts { folder.write(accounts, to: "accounts") }
        if let rules { folder.write(Array(rules.utf8), to: "rules") }
        if hasAnswered { folder.write([], to: "answered") }
        let own = asMapped ? Self.mappedPerson : ownRealUID ? Self.current : Self.root
        let flags = silent ? Int32(bitPattern: UInt32(PAM_SILENT)) : 0
        return folder("loginuid").withCString { loginUID in
            folder("adopted").withCString { mapped in
                folder("accounts").withCString { accounts in
                    folder("answered").withCString { answered in
                        folder("rules").withCString { rules in
                            var operations = entralogin_pam_operations(
                                daemon: daemon,
                                login_uid: loginUID,
                                mapped: mapped,
                                accounts: accounts,
                                answered: answered,
                                sudo_rules: rules,
                                batch_ms: batchTimes,
                                look_up: Self.lookUp,
                                look_up_number: lookUpNumber ?? Self.lookUpNumber,
                                look_up_group: lookUpGroup,
                                list_groups: listGroups,
                                short_names: shortNames ? 1 : 0,
                                real_uid: realUID ?? own,
                                keep: Self.keep,
                                kept: Self.lookForKept
                            )
                            return run(stage, &operations, flags, arguments)
                        }
                    }
                }
            }
        }
    }

    private func run(_ stage: Stage, _ operations: inout entralogin_pam_operations, _ flags: Int32, _ arguments: Int32)
        -> Int32
    {
        switch stage {
        case .authenticate: entralogin_pam_authenticate(&operations, handle, flags, arguments)
        case .setcred: entralogin_pam_setcred(&operations, handle)
        case .account: entralogin_pam_account(&operations, handle, flags, arguments)
        case .open: entralogin_pam_open_session(&operations, handle, flags, arguments)
        case .close: entralogin_pam_close_session(&operations, handle)
        }
    }
}
