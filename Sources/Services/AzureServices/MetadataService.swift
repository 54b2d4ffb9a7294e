// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import AzureMessages
package import Identity

/// The local service that knows this machine: IMDS on virtual machines, HIMDS on Arc servers. Each call keeps its
/// deadline, retries if that can help, and throws the reason if there is no answer.
package protocol MetadataService: Sendable {
    /// `imds` or `himds`.
    var name: String { get }
    func instance(by deadline: BootTime) async throws(AccessCheckFault) -> InstanceMetadata
    /// Nil if the service does not name it: the tenant is then taken from the machine's own token.
    func tenant(by deadline: BootTime) async throws(AccessCheckFault) -> TenantID?
    func token(for audience: String, by deadline: BootTime) async throws(AccessCheckFault) -> ManagedIdentityToken
    /// The CA keys that the service hands out (`login/ca_keys`).
    func authorityKeys(by deadline: BootTime) async throws(AccessCheckFault) -> MetadataKeys
}

extension AccessCheckFault {
    /// `source` sent a malformed body.
    init(_ error: MessageError, from source: String) {
        self.init(.malformedAnswer, of: source, detail: "\(error)")
    }

    /// The metadata service's refusal of a token.
    init(_ refusal: MetadataRefusal, status: Int, audience: String, from source: String) {
        switch refusal.meaning {
        case .identityNotFound:
            self.init(.noManagedIdentity, of: source, detail: refusal.text, remedy: .assignIdentity)
        case .audienceUnknown:
            self.init(
                .applicationMissing,
                of: source,
                detail: "the tenant has no service principal for \(quoted(audience))",
                // An audience that is a GUID is an application's id.
                remedy: GUID(audience).map(FaultRemedy.createApplication)
            )
        case .other:
            let words = refusal.text.isEmpty ? "" : " \(refusal.text)"
            self.init(.malformedAnswer, of: source, detail: "no token (status \(status))\(words)")
        }
    }
}
