// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import Authorization
internal import LinuxSystem
internal import Server
internal import Wire

// Seeds: one frame of each verb, and one reply of each form; Tests/Fuzzers/make-seeds writes them.

/// Answers everything at once, so that the reply shows which callers were allowed.
private let services = RoutedServices(
    lookUp: { _, _ in .notFound },
    checkCertificate: { _ in .principal("alice@contoso.com") },
    authorize: { _, _ in .allow },
    openSession: { _, _ in .allow },
    closeSession: { _, _, _ in },
    beginDevice: { _, _ in .over(.allow) },
    awaitDevice: { _, _ in .over(.allow) },
    report: { _ in .done }
)
private let helperUID: UInt32 = 996
private let router = RequestRouter(policy: CallerPolicy(helperUID: helperUID), services: services)

func takesRequest(_ bytes: [UInt8]) -> Bool {
    for socket in [SocketKind.control, .principals] {
        for uid in [0, helperUID, 1000] { route(bytes, uid: uid, on: socket) }
    }
    guard let request = try? Request(frame: bytes) else { return false }
    guard let frame = try? request.encode() else { fatalError("what was read cannot be written") }
    promise((try? Request(frame: frame)) == request, "what is written is another request")
    promise(frame.count == bytes.count, "a request has two lengths")
    switch request {
    // Unknown flags and states of homes are read as known ones, so the frame may differ.
    case .authorize, .openSession, .beginDevice: break
    default: promise(frame == bytes, "a request has two spellings")
    }
    promise((try? Request(frame: bytes.dropLast())) == nil, "a truncated request was read")
    promise((try? Request(frame: bytes + [0])) == nil, "a trailing byte was read")
    return true
}

private func route(_ bytes: [UInt8], uid: UInt32, on socket: SocketKind) {
    let request = try? Request(frame: bytes)
    switch router.route(bytes, from: PeerCredentials(pid: 1, uid: uid, gid: uid), on: socket) {
    case .nothing: promise(request == nil, "a request got no reply")
    case .later: promise(request != nil && uid == 0 && socket == .control, "somebody else got through")
    case .now(let reply):
        promise(reply.count >= 14 && reply.starts(with: bytes[..<4]), "a reply is no frame")
        promise(reply[6] == bytes[6] | 0x80 && reply[7] == bytes[7], "a reply to another verb")
        let status = Int(reply[12]) << 8 | Int(reply[13])
        guard let request else {
            promise(status == 5 || status == 6, "what cannot be read was answered")
            return
        }
        let isAllowed = socket == .control ? uid == 0 : uid != 1000 && request.verb == .checkCertificate
        promise((status != 4) == isAllowed, "a caller was mistaken")
    }
}

/// The first byte says which verb was asked.
func takesResponse(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first else { return false }
    let verb = Verb.allCases[Int(first) % Verb.allCases.count]
    let frame = Array(bytes.dropFirst())
    guard let response = try? Response(frame: frame, to: verb) else { return false }
    promise((try? response.encode(opcode: verb.rawValue)) == frame, "a reply has two spellings")
    promise((try? Response(frame: frame.dropLast(), to: verb)) == nil, "a truncated reply was read")
    promise((try? Response(frame: frame + [0], to: verb)) == nil, "a trailing byte was read")
    for other in Verb.allCases where other != verb {
        promise((try? Response(frame: frame, to: other)) == nil, "a reply to another verb was taken")
    }
    return true
}
