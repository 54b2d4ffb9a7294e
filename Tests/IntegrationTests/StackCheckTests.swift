// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

struct StackCheckTests {
    @Test("A wired Debian 12 holds, and says where")
    func wired() throws {
        let verdict = StackCheck(on: WiredMachine()).run()
        #expect(verdict.holds)
        #expect(verdict.findings.allSatisfy { $0.severity == .good })
        let session = try #require(verdict.findings.first { $0.id.text == "pam.sshd.session" })
        #expect(session.place == "/etc/pam.d/common-session:4")
    }

    @Test("The verdict rests on every file that was read, on the folder of the drop-ins, and on what is loaded or run")
    func restsOn() {
        let files = Set(StackCheck(on: WiredMachine()).run().restsOn)
        #expect(
            files == [
                "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d", "/etc/ssh/sshd_config.d/00-entralogin.conf",
                "/etc/pam.d/sshd", "/etc/pam.d/sudo", "/etc/pam.d/common-account", "/etc/pam.d/common-session",
                "/etc/pam.d/common-session-noninteractive", "/etc/pam.d/common-auth", "/etc/pam.d/common-password",
                "/etc/nsswitch.conf", "/usr/lib/x86_64-linux-gnu/libnss_entralogin.so.2",
                "/usr/lib/x86_64-linux-gnu/security/pam_entralogin.so",
                "/usr/libexec/entralogin/authorized-principals", "/usr/libexec/entralogin/pam-probe",
            ]
        )
    }

    @Test("P4: UsePAM no is an error, and says how to fix it, in the file that says no")
    func withoutPAM() throws {
        var machine = WiredMachine()
        machine.configuration = machine.configuration.replacing("usepam yes", with: "usepam no")
        let finding = try #require(machine.errors.first)
        #expect(finding.id.text == "sshd.usepam")
        #expect(finding.remedy.contains("UsePAM yes"))
        machine.texts["/etc/ssh/sshd_config.d/60-own.conf"] = "\nUsePAM no\n"
        let placed = try #require(machine.errors.first { $0.id.text == "sshd.usepam" })
        #expect(placed.remedy == "UsePAM yes in /etc/ssh/sshd_config.d/60-own.conf:2, then reload sshd")
    }

    @Test(
        "P16: a sshd_config that was replaced is one finding with one command, though each line of the block is missing"
    )
    func replaced() {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config"] = "UsePAM yes\nPasswordAuthentication yes\nClientAliveInterval 120"
        machine.configuration = "usepam yes\npasswordauthentication yes\nauthorizedkeysfile .ssh/authorized_keys\n"
        #expect(machine.errors.map(\.id.text) == ["sshd.files"])
        #expect(machine.errors.first?.remedy.hasPrefix("/usr/libexec/entralogin/configure --enable") == true)
    }

    @Test("P4: an sshd that is another service to PAM is checked by that one's stacks")
    func otherService() {
        var machine = WiredMachine()
        machine.configuration += "\npamservicename ssh-site"
        #expect(machine.errors.map(\.id.text) == ["pam.ssh-site.account", "pam.ssh-site.session"])
        machine.texts["/etc/pam.d/ssh-site"] = "account required pam_permit.so\nsession required pam_permit.so\n"
        #expect(machine.errors.map(\.id.text) == ["pam.ssh-site.account", "pam.ssh-site.session"])
        machine.texts["/etc/pam.d/ssh-site"] = Debian12.sshd
        let verdict = StackCheck(on: machine).run()
        #expect(verdict.holds)
        #expect(verdict.restsOn.contains("/etc/pam.d/ssh-site"))
    }

    @Test("P2: a sudo that does not ask entralogin would go on when the role is gone", arguments: ["sudo", "sudo-i"])
    func elevation(service: String) {
        var machine = WiredMachine()
        machine.texts["/etc/pam.d/\(service)"] = "account required pam_unix.so\n"
        #expect(machine.errors.map(\.id.text) == ["pam.\(service).account"])
        machine.texts["/etc/pam.d/\(service)"] = Debian12.sudo
        let verdict = StackCheck(on: machine).run()
        #expect(verdict.holds)
        #expect(verdict.restsOn.contains("/etc/pam.d/\(service)"))
    }

    @Test("sshd that refuses its configuration is an error with its own words")
    func refusedConfiguration() throws {
        var machine = WiredMachine()
        machine.result = ProgramResult(
            status: 255,
            complaint: "/etc/ssh/sshd_config: line 3: Bad configuration option: x\n"
        )
        let finding = try #require(machine.errors.first { $0.id.text == "sshd" })
        #expect(finding.found.contains("Bad configuration option"))
    }

    @Test("A module that is missing, foreign, loose or cannot be loaded is an error")
    func modules() {
        let path = "/usr/lib/x86_64-linux-gnu/security/pam_entralogin.so"
        var missing = WiredMachine()
        missing.texts[path] = nil
        #expect(missing.errors.map(\.id.text) == ["module.pam"])
        for status in [FileStatus(kind: .file, owner: 1000), FileStatus(kind: .file, mode: 0o666)] {
            var machine = WiredMachine()
            machine.statuses[path] = status
            #expect(machine.errors.map(\.id.text) == ["module.pam"])
        }
        var broken = WiredMachine()
        broken.loaderComplaint = "undefined symbol: pam_get_item"
        #expect(broken.errors.map(\.id.text) == ["module.nss", "module.pam"])
    }

    @Test("A folder above the helper that others can write is an error, and so is a helper that nobody may run")
    func helper() throws {
        var machine = WiredMachine()
        machine.statuses["/usr/libexec"] = FileStatus(kind: .folder, mode: 0o775)
        let finding = try #require(machine.errors.first)
        #expect(finding.id.text == "helper")
        #expect(finding.found.contains("/usr/libexec can be written"))
        machine = WiredMachine()
        machine.statuses[SSHDRule.helper] = FileStatus(kind: .file, mode: 0o644)
        #expect(machine.errors.map(\.id.text) == ["helper"])
    }

    @Test("A service user of entralogin's that is missing, or is root, is an error")
    func users() {
        var machine = WiredMachine()
        machine.texts["/etc/passwd"] = "root:x:0:0::/:/bin/sh\nentralogin:x:0:0::/:/bin/sh\n"
        #expect(machine.errors.map(\.id.text) == ["user.entralogin", "user.entralogin-ssh"])
    }

    @Test("Without our file sudo is a warning, without sudo a note: neither keeps anybody from signing in")
    func sudo() throws {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers.d/entralogin"] = nil
        let warned = StackCheck(on: machine).run()
        #expect(warned.holds)
        #expect(warned.findings.first { $0.id.text == "sudoers" }?.severity == .warning)
        machine.texts["/etc/pam.d/sudo"] = nil
        let noted = StackCheck(on: machine).run()
        #expect(noted.holds)
        #expect(noted.findings.first { $0.id.text == "sudoers" }?.severity == .note)
    }
}
