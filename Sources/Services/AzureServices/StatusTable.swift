// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import HTTPTransport

/// The reason for each HTTP status without an answer: one table for all services, and each service's exceptions.
enum StatusTable {
    /// The service that answered.
    enum Service: CaseIterable {
        /// IMDS. 403: a rule of the guest proxy agent; 421: it cannot tell which process asks; 404, 410: not ready yet.
        case instanceMetadata
        /// Arc's agent. 401, 403: its key was not read, or not accepted.
        case hybridMetadata
        /// PAS and Resource Manager. 401, 403: this machine's identity may not ask; 501: the question is not served.
        case roleService
        /// Microsoft Graph. 401, 403: this machine's identity may not ask it.
        case directory
        /// Entra: key documents, configuration, codes.
        case login
    }

    /// The reason; never one that is about a user.
    static func reason(of status: Int, from service: Service) -> DenialReason {
        if let exception = exceptions(of: service)[status] { return exception }
        return switch status {
        case 429: .throttled
        case 500...599: .unreachable
        default: .malformedAnswer
        }
    }

    static func exceptions(of service: Service) -> [Int: DenialReason] {
        switch service {
        case .instanceMetadata: [403: .metadataClosed, 421: .metadataClosed, 404: .unreachable, 410: .unreachable]
        case .hybridMetadata: [401: .metadataClosed, 403: .metadataClosed]
        case .roleService: [401: .identityMayNotAsk, 403: .identityMayNotAsk, 501: .malformedAnswer]
        case .directory: [401: .directoryRefused, 403: .directoryRefused]
        case .login: [:]
        }
    }
}

extension AccessCheckFault {
    /// The fault for a status without an answer; `text` is what the body says, quoted.
    init(
        _ response: HTTPResponse,
        from service: StatusTable.Service,
        at endpoint: String,
        saying text: String = "",
        remedy: FaultRemedy? = nil
    ) {
        let wait = RetryPolicy.retryAfter(response.header("Retry-After"))
        self.init(
            StatusTable.reason(of: response.status, from: service),
            of: endpoint,
            detail: "status \(response.status)" + (text.isEmpty ? "" : " \(text)"),
            remedy: remedy,
            // A role service or directory that fails is asked again with the next question; only throttling makes it
            // wait.
            retryAfter: (service == .roleService || service == .directory) && response.status != 429 ? nil : wait
        )
    }
}
