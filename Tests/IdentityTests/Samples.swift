// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

let tenant = "9b1c3d5e-0000-4000-8000-000000000001"

func name(_ text: String) throws -> UserName { try #require(UserName(text), "\(text)") }

func identity(_ number: Int) throws -> DirectoryIdentity {
    let digits = String(number)
    let objectID = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    return DirectoryIdentity(tenant: try #require(TenantID(tenant)), objectID: try #require(ObjectID(objectID)))
}

/// The account of the n-th person, with a name, a uid and a home of its own.
func enrolled(_ number: Int, name text: String? = nil, uid: UInt32? = nil, home: String? = nil) throws
    -> EnrolledAccount
{
    let name = try name(text ?? "person\(number)@contoso.com")
    return EnrolledAccount(
        account: Account(
            name: name,
            uid: try #require(PosixID(user: uid ?? PosixID.userRange.lowerBound + UInt32(number))),
            displayName: "Person \(number)",
            home: home ?? "/home/\(name)",
            shell: "/bin/bash"
        ),
        identity: try identity(number),
        enrolledAt: UnixTime(seconds: Int64(number))
    )
}
