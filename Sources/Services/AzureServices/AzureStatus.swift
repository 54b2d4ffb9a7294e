// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity

/// The state of what asks Azure, for `status` and `doctor`. Holds no secret.
package struct AzureStatus: Hashable, Sendable {
    /// The machine, and where it is known from.
    package struct MachineState: Hashable, Sendable {
        package let machine: Machine?
        /// True where the machine is the last good answer of an earlier time, read from disk.
        package let isFromStore: Bool
        /// Time since the metadata service last answered; nil where it has not since the start.
        package let age: Duration?
        /// Why the last attempt failed; nil where it did not.
        package let fault: AccessCheckFault?
        /// Set where `TenantID=` and the metadata service name different tenants.
        package var tenantRemark: String?
    }

    /// One audience's token.
    package struct Token: Hashable, Sendable {
        package let audience: String
        /// How long it may still be used; nil where there is none.
        package let remaining: Duration?
        /// Why the last attempt to get one failed; nil where it did not.
        package let fault: AccessCheckFault?
    }

    /// One access checker.
    package struct Checker: Hashable, Sendable {
        package enum Standing: Hashable, Sendable {
            /// Not asked since the start.
            case untried
            /// Its last answer was a decision.
            case serving
            /// It does not serve the question; it is skipped for `wait` more.
            case notServing(AccessCheckFault, wait: Duration)
            /// It serves, but its last attempt brought no answer.
            case failing(AccessCheckFault)
        }

        /// `pas`, `arm`, `arm-roleassignments`.
        package let name: String
        package let standing: Standing
        /// The latency of its last answer, whatever it was.
        package let latency: Duration?
        /// Time since that answer; nil before the first.
        package var age: Duration?
    }

    /// Confirmations of refusals by role assignments, since the start.
    package struct Confirmations: Hashable, Sendable {
        /// False with `ConfirmRefusals=no`.
        package var isOn = false
        /// The checker that confirms; nil where none does.
        package var confirmer: Checker?
        /// How often role assignments agreed, and how often they gave more.
        package var agreed = 0
        package var overruled = 0
        /// How often they could not be read, and how often there was no answer.
        package var notPermitted = 0
        package var unanswered = 0
        /// Why the last confirmation failed; nil where it did not.
        package var fault: AccessCheckFault?
        /// The user of the last refusal that role assignments overruled.
        package var lastOverruled: ObjectID?
    }

    package let machine: MachineState
    package let tokens: [Token]
    package let checkers: [Checker]
    /// Set where the table of clouds and the tenant's OpenID configuration disagree.
    package let remark: String?
    /// How far this machine's clock is ahead of Azure's (negative: behind); nil before its first answer.
    package var clockAheadSeconds: Int64?
    package var confirmations = Confirmations()
    /// Microsoft Graph, by the name `graph`; nil where it is not asked about accounts.
    package var directory: Checker?
    /// The same for memberships; nil where no Entra group is a Unix group.
    package var memberships: Checker?
}
