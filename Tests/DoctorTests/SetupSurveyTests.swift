// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

@Suite("What keeps a package from integrating a machine by itself") struct SetupSurveyTests {
    private func reasons(takesAnyDomain: Bool = true, _ change: (inout WiredMachine) -> Void) -> [String] {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = "Defaults env_reset\n@includedir /etc/sudoers.d\n"
        change(&machine)
        return SetupSurvey(on: machine, takesAnyDomain: takesAnyDomain).reasons().map(\.text)
    }

    @Test("P8: A stock machine has no reason, whether entralogin's lines are there or not")
    func stock() {
        #expect(reasons { _ in }.isEmpty)
        let bare = reasons {
            $0.texts["/etc/nsswitch.conf"] = "passwd: files systemd\ngroup: files systemd\n"
            $0.texts["/etc/ssh/sshd_config.d/00-entralogin.conf"] = nil
            $0.texts["/etc/sudoers.d/entralogin"] = nil
        }
        #expect(bare.isEmpty)
    }

    @Test(
        "P7: What the check would say of entralogin's word in nsswitch.conf is said before it is written",
        arguments: [
            ("passwd: files sss\ngroup: files [SUCCESS=merge] sss\n", "merge"),
            ("passwd: files [NOTFOUND=return] sss\ngroup: files\n", "[NOTFOUND=return]"),
            ("passwd: sss\ngroup: files\n", "local files"), ("group: files\n", "no line"),
            ("\u{FEFF}passwd: files\ngroup: files\n", "byte order mark"),
        ]
    )
    func nameService(text: String, words: String) {
        let found = reasons { $0.texts["/etc/nsswitch.conf"] = text }.filter { !$0.contains("Domains=") }
        #expect(found.count == 1 && found[0].contains(words), "\(found)")
    }

    @Test("A nsswitch.conf that is missing is one; one that another program makes is that program's")
    func links() {
        #expect(reasons { $0.texts["/etc/nsswitch.conf"] = nil } == ["/etc/nsswitch.conf is missing"])
        let made = reasons {
            $0.texts["/etc/nsswitch.conf"] = "passwd: files [NOTFOUND=return]\ngroup: files\n"
            $0.links = ["/etc/nsswitch.conf"]
        }
        #expect(made.isEmpty)
    }

    @Test("P8: Names of others with an @ are a reason as long as Domains= says nothing")
    func names() {
        let change: (inout WiredMachine) -> Void = {
            $0.texts["/etc/passwd", default: ""] += "\nlisa@corp.example:x:1777:1777::/:/bin/sh\n+@netgroup\n"
            $0.texts["/etc/nsswitch.conf"] = "passwd: files sss [NOTFOUND=continue] systemd\ngroup: files\n"
        }
        let found = reasons(change)
        #expect(found.count == 2 && found[0].contains("(lisa@corp.example)") && found[1].contains("asks sss, too"))
        #expect(reasons(takesAnyDomain: false, change).isEmpty)
    }

    @Test(
        "P8: Defaults of sudo in another file, and keywords of sshd that say who may come in, each once and with its place"
    )
    func hardened() {
        let sudo = reasons {
            $0.texts["/etc/sudoers.d/site"] = "Defaults !pam_acct_mgmt\nDefaults:bob !lecture\n"
            $0.statuses["/etc/sudoers.d/site"] = FileStatus(kind: .file, mode: 0o440)
        }
        #expect(sudo == ["/etc/sudoers.d/site changes sudo's defaults"])
        let site = "/etc/ssh/sshd_config.d/50-site.conf"
        let sshd = reasons { $0.texts[site] = "\"AllowGroups\" ops\nUsePAM yes # stays\nPort 2222\nUsePAM no\n" }
        #expect(
            sshd == ["\(site) says who may sign in: allowgroups ops", "\(site) says who may sign in: usepam no"]
        )
        #expect(reasons { $0.texts[site] = "Include /etc/ssh/\u{0}\n" } == ["sshd's files cannot be read whole"])
    }
}
