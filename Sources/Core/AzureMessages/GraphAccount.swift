// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// What Microsoft Graph says of a user or a service principal: `{"id","accountEnabled"}` (azure.md, "Microsoft Graph").
package struct GraphAccount: Hashable, Sendable {
    package let isEnabled: Bool

    /// What follows the kind's path and the object id.
    package static let selection = "?$select=id,accountEnabled"

    /// Reads the answer about `objectID`. It throws if it is about another object, lacks a member, or has a value other
    /// than true or false: that lets nobody in, but does not say that the account is disabled.
    package init(parsing bytes: [UInt8], of objectID: ObjectID) throws(MessageError) {
        let document = try JSON(message: bytes)
        guard ObjectID(try document.requiredText("id")) == objectID else {
            throw MessageError("the answer is about another object")
        }
        guard let isEnabled = document["accountEnabled"]?.truth else { throw .missing("accountEnabled") }
        self.isEnabled = isEnabled
    }
}

extension ServiceRefusal {
    /// Graph's code for an object that is not in the directory. A 404 without it does not count: a proxy may send it.
    package var saysObjectIsMissing: Bool { code.lowercased() == "request_resourcenotfound" }
}
