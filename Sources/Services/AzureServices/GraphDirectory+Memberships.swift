// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import AzureMessages
internal import HTTPTransport
package import Identity

extension GraphDirectory: MembershipChecker {
    /// Of which of `groups` the question's person is a member, nested ones counted. All of it or a fault: half an
    /// answer would be a no for the rest. Twenty ids a request, one after the other.
    package func memberships(
        _ question: AccessQuestion,
        of groups: [ObjectID]
    ) async throws(AccessCheckFault) -> Set<ObjectID> {
        let passedOver = records.passedOver(AccessCheckFault.graph, at: environment.time.bootTime())
        if let fault = passedOver?.fault, fault.reason == .unreachable { throw fault }
        var found: Set<ObjectID> = []
        for start in stride(from: 0, to: groups.count, by: MembershipQuestion.maximumGroups) {
            let chunk = Array(groups[start..<min(start + MembershipQuestion.maximumGroups, groups.count)])
            guard let asked = MembershipQuestion(objectID: question.objectID, groups: chunk) else {
                throw AccessCheckFault(.unsupported, of: AccessCheckFault.graph, detail: "a group stands twice")
            }
            found.formUnion(
                try await rounds(question, ignoringSilence: false) {
                    (question, attemptTime) async throws(EndpointFault) in
                    try await self.ask(asked, question, attemptTime)
                }
            )
        }
        return found
    }

    private func ask(
        _ asked: MembershipQuestion,
        _ question: AccessQuestion,
        _ attemptTime: Duration
    ) async throws(EndpointFault) -> Set<ObjectID> {
        let (host, audience) = try place(of: question.machine)
        let request = HTTPRequest(
            .post,
            host + asked.path,
            headers: [HTTPHeader("Content-Type", "application/json")],
            body: asked.body,
            timeout: attemptTime,
            maximumBody: GraphDirectory.maximumBody
        )
        let body = try await members.exchange(request, audience: audience, for: question, attemptTime: attemptTime)
        do throws(MessageError) { return try asked.memberships(parsing: body) } catch {
            throw .failing(AccessCheckFault(error, from: AccessCheckFault.graph))
        }
    }
}
