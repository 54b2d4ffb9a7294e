// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing

@Suite struct ServicePolicyTests {
    @Test(
        "sudo and its like need a decision of the last minute",
        arguments: ["sudo", "sudo-i", "su", "su-l", "doas", "polkit-1", "sudoers", "sudoers-list"]
    )
    func elevation(service: String) {
        let policy = ServicePolicy.of(service: service, isInSSHD: false)
        #expect(policy == .elevation)
        #expect(policy.maximumAge == .seconds(60) && policy.waitsForNetwork)
    }

    @Test(
        "cron and its like take the last decision of a day and never wait",
        arguments: ["cron", "crond", "atd", "systemd-user"]
    )
    func batch(service: String) {
        let policy = ServicePolicy.of(service: service, isInSSHD: false)
        #expect(policy == .batch)
        #expect(policy.maximumAge == .seconds(86_400) && !policy.waitsForNetwork)
    }

    @Test(
        "Everything else needs a decision of the last five minutes",
        arguments: ["sshd", "login", "runuser", "", "cron2", "SUDO", "gdm-password"]
    )
    func signIn(service: String) {
        let policy = ServicePolicy.of(service: service, isInSSHD: false)
        #expect(policy == .signIn)
        #expect(policy.maximumAge == .seconds(300) && policy.waitsForNetwork)
    }

    @Test("P2: with the administrators' gid whatever is not listed is as sudo", arguments: ["login", "site"])
    func underAnotherName(service: String) {
        #expect(ServicePolicy.of(service: service, isInSSHD: false, holdsAdministratorsGroup: true) == .elevation)
        #expect(ServicePolicy.of(service: service, isInSSHD: true, holdsAdministratorsGroup: true) == .signIn)
        #expect(ServicePolicy.of(service: "cron", isInSSHD: false, holdsAdministratorsGroup: true) == .batch)
    }

    @Test(
        "P2: a program that an Entra account runs is no batch job",
        arguments: ["cron", "crond", "atd", "systemd-user"]
    )
    func invokedBatch(service: String) {
        #expect(ServicePolicy.of(service: service, isInSSHD: false, isInvoked: true) == .elevation)
        #expect(ServicePolicy.of(service: service, isInSSHD: true, isInvoked: true) == .signIn)
    }

    @Test("P4: an sshd process is a sign-in, whatever its service is called", arguments: ["cron", "sudo", "x"])
    func insideSSHD(service: String) {
        #expect(ServicePolicy.of(service: service, isInSSHD: true) == .signIn)
    }

    @Test("Who acts as administrator must be one: by the kernel's group or by our listing, for elevation only")
    func roleNeeded() {
        for (holds, listed) in [(true, false), (false, true), (true, true)] {
            let elevated = ServicePolicy.elevation.roleNeeded(
                holdsAdministratorsGroup: holds,
                isListedAdministrator: listed
            )
            #expect(elevated == .administrator)
            let batch = ServicePolicy.batch.roleNeeded(holdsAdministratorsGroup: holds, isListedAdministrator: listed)
            #expect(batch == .user)
        }
        let plain = ServicePolicy.elevation.roleNeeded(holdsAdministratorsGroup: false, isListedAdministrator: false)
        #expect(plain == .user)
    }

    @Test("P2: an allow of less than is needed becomes a refusal, and a refusal stays what it is")
    func requiring() {
        let user = AccessDecision.allow(.user, .azure)
        #expect(user.requiring(.user) == user)
        #expect(user.requiring(.administrator) == .deny(Denial(.administratorRoleNeeded)))
        let administrator = AccessDecision.allow(.administrator, .grace)
        #expect(administrator.requiring(.administrator) == administrator)
        #expect(administrator.requiring(.user) == administrator)
        let denied = AccessDecision.deny(Denial(.unreachable))
        #expect(denied.requiring(.administrator) == denied)
    }
}
