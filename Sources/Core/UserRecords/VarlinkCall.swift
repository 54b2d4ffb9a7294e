// SPDX-License-Identifier: Apache-2.0

package import ByteCoding

/// One call of varlink (varlink.org, Method Call): a JSON object, which ends with a NUL on the wire.
package struct VarlinkCall: Hashable, Sendable {
    /// Bytes of one call without its NUL; the longest that systemd sends us has some 250.
    package static let byteLimit = 4096

    /// Interface and method, such as `org.varlink.service.GetInfo`.
    package let method: String
    /// Members that are `null` count as absent.
    package let parameters: [String: JSON]
    /// The caller takes several replies.
    package let wantsMore: Bool
    /// The caller takes no reply at all.
    package let isOneWay: Bool

    /// Why bytes are no call. The connection ends then: what comes behind them means nothing.
    package enum Malformed: Error, Hashable, Sendable {
        case tooLong
        case notJSON(JSONError)
        /// That member is missing, or of another kind than the protocol says.
        case member(String)
    }

    /// Takes the bytes before the NUL. Members that the protocol does not have are passed over; the connection cannot be
    /// upgraded to another protocol.
    package init(parsing bytes: [UInt8]) throws(Malformed) {
        guard bytes.count <= Self.byteLimit else { throw .tooLong }
        let document: JSON
        do throws(JSONError) { document = try JSON(parsing: bytes) } catch { throw .notJSON(error) }
        guard let method = document["method"]?.text, !method.isEmpty else { throw .member("method") }
        self.method = method
        switch document["parameters"] {
        case nil: parameters = [:]
        case .object(let members): parameters = members.filter { $0.value != .null }
        default: throw .member("parameters")
        }
        wantsMore = try Self.flag("more", document)
        isOneWay = try Self.flag("oneway", document)
        guard try !Self.flag("upgrade", document) else { throw .member("upgrade") }
    }

    private static func flag(_ name: String, _ document: JSON) throws(Malformed) -> Bool {
        guard let member = document[name] else { return false }
        guard let truth = member.truth else { throw .member(name) }
        return truth
    }
}

/// Cuts what a peer sends into calls, and keeps what has come of the next one: never more than one call may have.
package struct VarlinkInbox: Sendable {
    private var bytes: [UInt8] = []

    package init() {}

    /// How many bytes may come before there is a whole call or a refusal.
    package var room: Int { VarlinkCall.byteLimit + 1 - bytes.count }

    /// Adds at most `room` bytes.
    package mutating func add(_ more: [UInt8]) { bytes += more }

    /// The next whole call; nil where its end has not come yet.
    package mutating func next() throws(VarlinkCall.Malformed) -> VarlinkCall? {
        guard let end = bytes.firstIndex(of: 0) else {
            guard bytes.count <= VarlinkCall.byteLimit else { throw .tooLong }
            return nil
        }
        let call = Array(bytes[..<end])
        bytes.removeFirst(end + 1)
        return try VarlinkCall(parsing: call)
    }
}
