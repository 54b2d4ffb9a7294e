// SPDX-License-Identifier: Apache-2.0

package import ByteCoding

/// One reply of varlink (varlink.org, Method Reply).
package struct VarlinkReply: Hashable, Sendable {
    /// The error's full name; nil where the call went well.
    package let error: String?
    package let parameters: [String: JSON]
    /// More replies to the same call follow.
    package let continues: Bool

    package init(_ parameters: [String: JSON], continues: Bool = false) {
        error = nil
        self.parameters = parameters
        self.continues = continues
    }

    package init(error: String, _ parameters: [String: JSON] = [:]) {
        self.error = error
        self.parameters = parameters
        continues = false
    }

    /// As it goes over the wire, with its NUL.
    package var frame: [UInt8] {
        var members: [String: JSON] = ["parameters": .object(parameters)]
        if let error { members["error"] = .string(error) }
        if continues { members["continues"] = .boolean(true) }
        return JSON.object(members).bytes + [0]
    }
}

extension VarlinkReply {
    /// The errors that every varlink service has (org.varlink.service).
    package static func methodNotFound(_ method: String) -> VarlinkReply {
        VarlinkReply(error: "org.varlink.service.MethodNotFound", ["method": .string(method)])
    }

    package static func invalidParameter(_ name: String) -> VarlinkReply {
        VarlinkReply(error: "org.varlink.service.InvalidParameter", ["parameter": .string(name)])
    }

    /// There may be several replies, and the caller takes one.
    package static let expectedMore = VarlinkReply(error: "org.varlink.service.ExpectedMore")
}

/// The replies to one call: none (a call that takes no reply), one, or many, made one after the other so that a hundred
/// thousand of them need not be in memory at once.
package struct VarlinkReplies: Sendable {
    private let count: Int
    private let reply: @Sendable (Int) -> VarlinkReply
    private var next = 0

    package init(_ reply: VarlinkReply) {
        self.init(count: 1) { _ in reply }
    }

    package static let none = VarlinkReplies(count: 0) { _ in .expectedMore }

    /// `reply` makes the reply of that number, from 0.
    package init(count: Int, _ reply: @escaping @Sendable (Int) -> VarlinkReply) {
        self.count = count
        self.reply = reply
    }

    /// The next frames, until they have `limit` bytes or more, or there are no more; empty at the end.
    package mutating func frames(about limit: Int) -> [UInt8] {
        var frames: [UInt8] = []
        while next < count, frames.count < limit {
            frames += reply(next).frame
            next += 1
        }
        return frames
    }
}
