// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing

/// Values that the tests of this folder share.
enum Samples {
    static func time(_ seconds: Int) -> BootTime { BootTime(sinceBoot: .seconds(seconds)) }

    static func objectID(_ number: Int = 1) throws -> ObjectID {
        let digits = String(number, radix: 16)
        let text = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        return try #require(ObjectID(text))
    }

    static func machine(_ name: String = "vm1") throws -> Machine {
        let path = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/\(name)"
        return Machine(
            kind: .virtualMachine,
            resource: try #require(ResourceID(path)),
            tenant: try #require(TenantID("11111111-1111-4111-8111-111111111111")),
            name: name,
            cloud: "AzurePublicCloud"
        )
    }

    static func correlation() throws -> CorrelationID {
        CorrelationID(try #require(GUID("0cc175b9-c0f1-46b6-831c-399e26977266")))
    }

    static func key(_ number: Int = 1, on name: String = "vm1") throws -> DecisionCache.Key {
        DecisionCache.Key(objectID: try objectID(number), machine: try machine(name))
    }

    static func answer(_ role: Role?, lifetime: Duration? = nil) -> AccessAnswer {
        AccessAnswer(role: role, lifetime: lifetime, checker: "pas")
    }
}
