// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity

/// Why one endpoint gave no decision, and what that means for the others.
package struct EndpointFault: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The endpoint does not serve the question, for this machine or at all. It is skipped for this long.
        case notServed(passedOverFor: Duration)
        /// It serves the question but has no answer now (429, 5xx, a connection that ends early): worth another
        /// attempt.
        case transient
        /// The connection was dropped without an answer. Once may be chance; a firewall does it each time.
        case dropped
        /// No answer, and no use in another attempt: the answer was malformed, or no time is left.
        case noAnswer
        /// The fault applies to every other endpoint, too: none is asked.
        case everywhere
    }

    package let kind: Kind
    package let fault: AccessCheckFault
    /// There is no route to the endpoint: its name does not resolve, nothing listens, or its address is unknown.
    package var hasNoRoute = false

    /// The administrator can fix it: a missing right, a path that is not served.
    package static func notServed(_ fault: AccessCheckFault) -> EndpointFault {
        EndpointFault(kind: .notServed(passedOverFor: .seconds(300)), fault: fault)
    }

    /// The endpoint cannot be reached, perhaps only briefly.
    package static func notReached(_ fault: AccessCheckFault) -> EndpointFault {
        EndpointFault(kind: .notServed(passedOverFor: .seconds(30)), fault: fault)
    }

    /// There is no route to the endpoint, as far as this machine can see.
    package static func noRoute(_ fault: AccessCheckFault) -> EndpointFault {
        EndpointFault(kind: .notServed(passedOverFor: .seconds(30)), fault: fault, hasNoRoute: true)
    }

    package static func failing(_ fault: AccessCheckFault) -> EndpointFault {
        EndpointFault(kind: fault.reason == .malformedAnswer ? .noAnswer : .transient, fault: fault)
    }
}

/// One endpoint that can answer the role question.
package protocol EndpointChecker: Sendable {
    /// `pas`, `arm`, `arm-roleassignments`.
    var name: String { get }
    /// One attempt. Each of its requests takes at most `attemptTime`, and none goes beyond the question's deadline.
    func ask(_ question: AccessQuestion, attemptTime: Duration) async throws(EndpointFault) -> AccessAnswer
}
