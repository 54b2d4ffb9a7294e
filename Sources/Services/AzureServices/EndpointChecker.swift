// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity

/// Why one endpoint gave no decision, and whether the next one may be asked.
package struct EndpointFault: Error, Hashable, Sendable {
    /// True where the endpoint does not serve the question at all, for us or for anybody; false where it would, but has
    /// no answer now (throttled, failing, or an answer that makes no sense).
    package let isNotServed: Bool
    /// How long it is passed over.
    package let passedOverFor: Duration
    package let fault: AccessCheckFault

    /// It is somebody's to mend: a missing right, a path that is not served.
    package static func notServed(_ fault: AccessCheckFault) -> EndpointFault {
        EndpointFault(isNotServed: true, passedOverFor: .seconds(300), fault: fault)
    }

    /// It cannot be reached; that may pass soon.
    package static func notReached(_ fault: AccessCheckFault) -> EndpointFault {
        EndpointFault(isNotServed: true, passedOverFor: .seconds(30), fault: fault)
    }

    package static func failing(_ fault: AccessCheckFault) -> EndpointFault {
        EndpointFault(isNotServed: false, passedOverFor: .zero, fault: fault)
    }
}

/// One endpoint that can answer the role question. Whatever it returns is a decision, and final (P2).
package protocol EndpointChecker: Sendable {
    /// `pas`, `arm`, `arm-roleassignments`.
    var name: String { get }
    /// One attempt takes at most `attemptTime`; repeating goes on until the question's deadline.
    func ask(_ question: AccessQuestion, attemptTime: Duration) async throws(EndpointFault) -> AccessAnswer
}
