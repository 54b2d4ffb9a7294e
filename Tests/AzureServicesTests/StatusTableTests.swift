// SPDX-License-Identifier: Apache-2.0

import Authorization
import HTTPTransport
import Testing

@testable import AzureServices

struct StatusTableTests {
    @Test("One table says what a status means; each service's exceptions are named, and none is a no")
    func table() {
        for service in StatusTable.Service.allCases {
            for status in 100...599 {
                let reason = StatusTable.reason(of: status, from: service)
                let ordinary: DenialReason =
                    status == 429 ? .throttled : status >= 500 ? .unreachable : .malformedAnswer
                #expect(reason == StatusTable.exceptions(of: service)[status] ?? ordinary)
                #expect(reason.isUndecided, "\(service) \(status)")
            }
        }
        #expect(StatusTable.exceptions(of: .login).isEmpty)
        #expect(StatusTable.reason(of: 403, from: .instanceMetadata) == .metadataClosed)
        #expect(StatusTable.reason(of: 403, from: .roleService) == .identityMayNotAsk)
        #expect(StatusTable.reason(of: 403, from: .directory) == .directoryRefused)
        #expect(StatusTable.reason(of: 404, from: .directory) == .malformedAnswer)
        #expect(StatusTable.reason(of: 404, from: .instanceMetadata) == .unreachable)
        #expect(StatusTable.reason(of: 404, from: .roleService) == .malformedAnswer)
    }

    @Test("Retry-After is taken from every service, and from a role service where it says that it is throttled")
    func waiting() {
        let header = HTTPHeader("Retry-After", "7")
        for service in StatusTable.Service.allCases {
            for status in [429, 503] {
                let response = HTTPResponse(status: status, headers: [header], body: [])
                let fault = AccessCheckFault(response, from: service, at: "x", saying: "words")
                #expect(
                    fault.retryAfter
                        == ([.roleService, .directory].contains(service) && status == 503 ? nil : .seconds(7))
                )
                #expect(fault.detail == "x: status \(status) words")
            }
        }
    }
}
