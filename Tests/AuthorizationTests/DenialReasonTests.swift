// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing

@Suite struct DenialReasonTests {
    @Test("Every code is a stable word of its own: lower case and dashes", arguments: DenialReason.allCases)
    func code(reason: DenialReason) {
        #expect(reason.rawValue.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x2d })
        #expect(DenialReason(rawValue: reason.rawValue) == reason)
    }

    @Test("Every reason reads differently, as one line without a full stop")
    func text() {
        let texts = DenialReason.allCases.map(\.text)
        #expect(Set(texts).count == texts.count)
        #expect(texts.allSatisfy { !$0.isEmpty && !$0.contains("\n") && !$0.hasSuffix(".") })
    }

    @Test("What Azure decided is never undecided, and what could not be asked always is")
    func undecided() {
        let decided: [DenialReason] = [
            .roleNotAssigned, .administratorRoleNeeded, .wrongTenant, .certificate, .certificateNotUsed,
            .objectIDChanged, .accountRetired, .signInTooOld, .accountDisabled,
        ]
        for reason in decided { #expect(!reason.isUndecided) }
        let open: [DenialReason] = [
            .unreachable, .throttled, .malformedAnswer, .identityMayNotAsk, .noManagedIdentity, .machineUnknown,
            .resourceNotFound, .directoryRefused, .applicationMissing, .metadataClosed, .noRecentDecision,
        ]
        for reason in open { #expect(reason.isUndecided) }
    }

    @Test("P1: whatever an outage excuses is undecided: no decision of Azure's is ever bridged")
    func bridged() {
        for reason in DenialReason.allCases where OfflinePolicy.isOutage(reason) { #expect(reason.isUndecided) }
    }
}
