// SPDX-License-Identifier: Apache-2.0

import LinuxSystem
import Server
import Testing
import Wire

@Suite struct CallerPolicyTests {
    static let helper: UInt32 = 987
    /// Users without privileges: among them the daemon's own, a local one, an Entra user, nobody, and "no id".
    static let strangers: [UInt32] = [1, 986, 988, 1000, 1_879_049_216, 65_534, .max]

    func peer(_ uid: UInt32, gid: UInt32 = 0) -> PeerCredentials { PeerCredentials(pid: 1, uid: uid, gid: gid) }

    @Test("P10: on the control socket root may ask everything and nobody else anything", arguments: Verb.allCases)
    func control(_ verb: Verb) {
        for policy in [CallerPolicy(helperUID: CallerPolicyTests.helper), CallerPolicy(helperUID: nil)] {
            #expect(policy.allows(verb, from: peer(0), on: .control))
            for uid in CallerPolicyTests.strangers + [CallerPolicyTests.helper] {
                #expect(!policy.allows(verb, from: peer(uid), on: .control), "uid \(uid)")
            }
        }
    }

    @Test("P10: on the principals socket a certificate is all there is to ask, for root too", arguments: Verb.allCases)
    func principals(_ verb: Verb) {
        let policy = CallerPolicy(helperUID: CallerPolicyTests.helper)
        let mayAsk = verb == .checkCertificate
        #expect(policy.allows(verb, from: peer(0), on: .principals) == mayAsk)
        #expect(policy.allows(verb, from: peer(CallerPolicyTests.helper, gid: 987), on: .principals) == mayAsk)
        for uid in CallerPolicyTests.strangers {
            #expect(!policy.allows(verb, from: peer(uid, gid: 987), on: .principals), "uid \(uid)")
        }
    }

    @Test("P10: without the helper's user only root may ask about certificates", arguments: Verb.allCases)
    func noHelper(_ verb: Verb) {
        let policy = CallerPolicy(helperUID: nil)
        #expect(policy.allows(verb, from: peer(0), on: .principals) == (verb == .checkCertificate))
        for uid in CallerPolicyTests.strangers + [CallerPolicyTests.helper] {
            #expect(!policy.allows(verb, from: peer(uid), on: .principals), "uid \(uid)")
        }
    }
}
