# SPDX-License-Identifier: Apache-2.0
"""The Debian package on booted machines: installed, upgraded, removed, purged; on machines that it must leave alone."""

from __future__ import annotations

import re

from bed.booted import BootedMachine
from bed.checks import admitted, equal, require
from bed.installed import CONFIGURE, REPOSITORY, TOOL
from bed.machine import wait_for
from bed.packages import NAME, apt, differences, inventory, other_product, state
from bed.unversioned import unversioned
from booted_ground import DAEMON, BootedSite
from case import case
from packages_ground import OpenSession, PackagesGround

LINGER = "/var/lib/systemd/linger"
OURS = {"entralogin", "entralogin-ssh", "entralogin-audit", "entralogin-sessions"}
WIRED = ("/etc/ssh", "/etc/pam.d", "/etc/nsswitch.conf", "/etc/sudoers", "/etc/sudoers.d")
# What stays after a purge, and why: Documentation/install.md.
KEPT = {"+/var/lib/entralogin", "+/var/lib/entralogin/accounts"}
ACCOUNTS = {"~/etc/group", "~/etc/gshadow", "~/etc/passwd", "~/etc/shadow", "+/etc/.pwd.lock"}
FORMER_LINKS = ("/etc/systemd/system/entralogind.service.wants/entralogin-userdb.service", "/run/systemd/userdb/io.entralogin")
# useradd and pam-auth-update may keep the previous version of a file.
MAY_STAY = {f"{sign}/etc/{name}-" for sign in "+~" for name in ("group", "gshadow", "passwd", "shadow")} | ACCOUNTS


def wiring(site: BootedSite) -> dict[str, str]:
    return inventory(site.machine, *WIRED)


def leave_former_parts(machine: BootedMachine) -> None:
    """Makes what version 0.1.0 leaves if its user database was on: two settings, and links to a unit and a socket."""
    machine.write("/etc/entralogin/entralogin.conf.d/50-former.conf",
                  "[Accounts]\nUserDatabase=yes\n[SignIn]\nStrictExtensionOrder=yes\n")
    machine.must("mkdir", "-p", "/etc/systemd/system/entralogind.service.wants", "/run/systemd/userdb")
    machine.must("ln", "-s", "/usr/lib/systemd/system/entralogin-userdb.service", FORMER_LINKS[0])
    machine.must("ln", "-s", "/run/entralogin/nss/userdb.sock", FORMER_LINKS[1])


def without_former_parts(machine: BootedMachine) -> None:
    for link in FORMER_LINKS:
        require(not machine.run("test", "-L", link).ok, f"{link} is still there")
    records = machine.journal("ENTRALOGIN_EVENT=settings-ignored")
    messages = " ".join(str(record["MESSAGE"]) for record in records)
    for where in (messages, machine.run("entraloginctl", "doctor").out):
        for key in ("UserDatabase=", "StrictExtensionOrder="):
            says(where, f"{key} has no effect any more")
    machine.remove("/etc/entralogin/entralogin.conf.d/50-former.conf")


@case("P8", "installed, upgraded, reinstalled, removed, installed again and purged: an open session lives through it all")
def journey(ground: PackagesGround) -> str:
    with ground.stock("journey") as site:
        machine = site.machine
        before = inventory(machine)
        lisa = OpenSession(ground.lisa, site.port)
        try:
            ground.install(site, ground.packages.previous)
            ground.signs_in(site)
            require("module_unknown" not in machine.read("/etc/pam.d/common-account"), "not the old lines of PAM")
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the installation")
            pid, record = machine.main_pid(DAEMON), machine.passwd(ground.person("alice").login)
            manager = f"user@{record[2]}.service"
            machine.must("sh", "-c", f"touch {LINGER}/{ground.person('alice').login}")
            machine.systemctl("start", manager)
            lingering = machine.main_pid(manager)

            leave_former_parts(machine)
            ground.install(site)
            ground.signs_in(site)
            without_former_parts(machine)
            upgraded = {stage: machine.read(f"/etc/pam.d/common-{stage}") for stage in ("account", "session")}
            for stage, text in upgraded.items():
                lines = [line for line in text.splitlines() if "entralogin" in line]
                require(len(lines) == 1 and "module_unknown=ignore" in lines[0], f"{stage} after the upgrade: {lines}")
            require(machine.main_pid(DAEMON) != pid, "the daemon of the version before still runs")
            equal(machine.passwd(ground.person("alice").login), record, "alice's record after the upgrade")
            equal(machine.main_pid(manager), lingering, "alice's user manager after the upgrade")
            equal(machine.property("entralogin-linger.path", "ActiveState"), "active", "what starts managers later")
            machine.systemctl("stop", manager)
            machine.must("sh", "-c", f"rm {LINGER}/*")
            equal(lisa.ask("sudo -n -l >/dev/null 2>&1; id -un"), "lisa", "lisa's session after the upgrade")

            ground.install(site)
            site.wait_until_ready()
            admitted(site.ssh(ground.person("alice"), "sudo -n id -u"), "0\n")
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the reinstallation")

            # If the integration cannot be renewed, it stays as it is, but the old program is restarted.
            pid = machine.main_pid(DAEMON)
            machine.must("mv", "/usr/sbin/visudo", "/usr/sbin/visudo.away")
            machine.must("ln", "-s", "/bin/false", "/usr/sbin/visudo")
            says(ground.install(site).text, "look at it with: entraloginctl doctor")
            machine.must("mv", "/usr/sbin/visudo.away", "/usr/sbin/visudo")
            require(machine.main_pid(DAEMON) not in (0, pid), "the daemon from before the reinstallation still runs")
            ground.signs_in(site)

            outcome = apt(machine, "remove", NAME)
            require(outcome.ok and state(machine) == "deinstall ok config-files", outcome.text)
            ground.stays_out(site)
            equal(machine.property(DAEMON, "ActiveState"), "inactive", "the daemon after the removal")
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the removal")

            ground.install(site)
            ground.signs_in(site)
            equal(machine.passwd(ground.person("alice").login), record, "alice's record after all that")
            for stage, text in upgraded.items():
                equal(machine.read(f"/etc/pam.d/common-{stage}"), text, f"{stage}: upgraded, beside a first installation")

            ground.purge(site)
            ground.stays_out(site)
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the purge")
        finally:
            lisa.end()
        left = set(differences(before, inventory(machine)))
        equal(sorted(left - MAY_STAY), sorted(KEPT), "files after the purge")
        there = {line.split(":")[0] for line in machine.read("/etc/passwd").splitlines()}
        require(OURS | {"lisa"} <= there, f"the accounts after the purge: {there}")
    return f"left: {', '.join(sorted(KEPT))}, three system users"


@case("P8", "purged before anybody signed in, nothing is left but three system users", deep=True)
def untouched(ground: PackagesGround) -> str:
    with ground.stock("untouched") as site:
        before = inventory(site.machine)
        ground.install(site)
        site.wait_until_ready()
        ground.purge(site)
        left = set(differences(before, inventory(site.machine))) - MAY_STAY
        equal(sorted(left), [], "files after the purge")
    return "nothing"


def says(text: str, *words: str) -> None:
    told = " ".join(text.split())
    for word in words:
        require(word in told, f"not said: {word!r}: {text}")


def left_alone(ground: PackagesGround, site: BootedSite, reason: str) -> None:
    """Requires that the package installs but changes nothing, and says why and what is missing; so do doctor and stack."""
    before = wiring(site)
    says(ground.install(site).text, reason, "pam_entralogin.so", "nsswitch", "setup --apply")
    equal(differences(before, wiring(site)), [], "what the package changed")
    for words in (("doctor",), ("stack",)):
        seen = site.tool(*words)
        require(not seen.ok, f"{words} find nothing wrong")
        says(seen.out, reason, "pam_entralogin.so")
    ground.stays_out(site)


@case("P7", "a machine hardened by hand (PAM, sshd or sudo) or with aadsshlogin is left alone, and told what is missing")
def hardened(ground: PackagesGround) -> str:
    edits = {
        "/etc/pam.d/sshd": "account required pam_access.so\n",
        "/etc/pam.d/common-account": "account required pam_time.so\n",
        "/etc/sudoers": "Defaults use_pty\n",
        "/etc/ssh/sshd_config.d/60-hardened.conf": "AllowGroups sudo\n",
        "/etc/ssh/sshd_config": "Match User nobody\n    PasswordAuthentication no\n",
    }
    with ground.stock("hardened") as site:
        machine = site.machine
        other = ground.packages.put(machine, other_product(ground.bed.scratch / "packages", "aadsshlogin"))
        machine.must("dpkg", "-i", other)
        left_alone(ground, site, "the package aadsshlogin is installed")
        machine.must("dpkg", "--purge", "aadsshlogin")
        for path, line in edits.items():
            there = machine.path(path).exists()
            text = machine.read(path) if there else ""
            machine.write_file(path, text + line)
            before = wiring(site)
            # What the package's script calls at a first installation.
            says(machine.must(CONFIGURE, "--package-installed").text, path, "pam_entralogin.so", "setup --apply")
            equal(differences(before, wiring(site)), [], f"what was changed beside {path}")
            machine.write_file(path, text) if there else machine.remove(path)
        # There are no reasons any more, but an upgrade does not turn sign-in on where it was off.
        equal(machine.must(CONFIGURE, "--survey").text, "", "reasons on a machine that is stock again")
        ground.install(site)
        ground.stays_out(site)
        machine.must(TOOL, "setup", "--apply")
        ground.signs_in(site)
    return f"{len(edits)} edits and one other product"


def well(site: BootedSite) -> None:
    """Checks what a careful administrator looks at after the installation."""
    machine = site.machine
    seen = machine.must("systemctl", "status", "--no-pager", DAEMON).out
    require("FAILURE" not in seen and "status=0/SUCCESS" in seen, f"systemctl status: {seen}")
    told = machine.must("journalctl", "--no-pager", "--unit", DAEMON).out
    require("FAILED" not in told and "keeps Entra accounts out" not in told, f"the daemon's journal: {told}")
    listed = set(machine.must("dpkg", "--listfiles", NAME).out.splitlines())
    manual = " ".join(page.read_text() for page in (REPOSITORY / "packaging/man").iterdir())
    named = set(re.findall(r"/usr/share/doc/entralogin/[\w/-]+\.md", manual))
    require(bool(named) and named <= listed, f"a manual page names what the package lacks: {named - listed}")


@case("P8", "setup --dry-run changes nothing, --apply and --undo do what they say, again and again")
def setup(ground: PackagesGround) -> str:
    with ground.stock("setup") as site:
        machine = site.machine
        stock = wiring(site)
        ground.install(site)
        well(site)
        wired = wiring(site)
        says(machine.must(TOOL, "setup", "--apply").text, "The integration is right. For the rest: entraloginctl doctor")
        equal(differences(wired, wiring(site)), [], "setup --apply on a wired machine")
        ground.signs_in(site)
        for _ in range(2):
            machine.must(TOOL, "setup", "--undo")
            equal(differences(stock, wiring(site)), [], "setup --undo")
        ground.stays_out(site)
        shown = machine.must(TOOL, "setup", "--dry-run").text
        for text in ("would write /etc/ssh/sshd_config.d/00-entralogin.conf", "pam-auth-update", "nsswitch.conf", "sudoers.d"):
            require(text in shown, f"--dry-run does not name {text!r}: {shown}")
        equal(differences(stock, wiring(site)), [], "setup --dry-run")
        machine.must(TOOL, "setup", "--apply")
        equal(differences(wired, wiring(site)), [], "setup --apply after --undo")
        ground.signs_in(site)
    return "as it was, twice"


@case("P4", "where sshd_config has no Include, one marked block is appended, holds, and goes again")
def without_include(ground: PackagesGround) -> str:
    config = "/etc/ssh/sshd_config"
    with ground.stock("include") as site:
        machine = site.machine
        text = "".join(line + "\n" for line in machine.read(config).splitlines() if not line.startswith("Include"))
        # sshd does not read the folder any more, so the bed's own settings are put into this file.
        text = f"Port {site.port}\nMaxStartups 200\nLogLevel VERBOSE\n" + text
        machine.write_file(config, text)
        machine.reload_sshd(site.port)
        left_alone(ground, site, "does not read /etc/ssh/sshd_config.d any more")
        machine.must(TOOL, "setup", "--apply")
        require(machine.read(config).startswith(text) and machine.read(config).count("\nMatch User") == 1, machine.read(config))
        ground.signs_in(site)
        again = machine.read(config)
        machine.must(TOOL, "setup", "--apply")
        equal(machine.read(config), again, "sshd_config after a second --apply")
        machine.must(TOOL, "setup", "--undo")
        equal(machine.read(config), text, "sshd_config after --undo")
    return "one block, and none"


@case("P8", "an sshd_config that sshd refuses: the package installs, sshd is not reloaded and goes on")
def refused_configuration(ground: PackagesGround) -> str:
    with ground.stock("refused") as site:
        machine = site.machine
        pid = machine.main_pid("ssh.service")
        before = wiring(site)
        machine.write_file("/etc/ssh/sshd_config.d/70-wrong.conf", "NoSuchKeyword yes\n")
        said = ground.install(site).text
        require("sshd refuses" in said, said)
        equal(differences(before, wiring(site)), ["+/etc/ssh/sshd_config.d/70-wrong.conf"], "what the package changed")
        equal(machine.main_pid("ssh.service"), pid, "sshd's process")
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
        ground.purge(site)
        equal(machine.main_pid("ssh.service"), pid, "sshd's process after the purge")
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
    return "lisa in throughout"


@case("P8", "a line of PAM written by hand that would lock everybody out without the module keeps the package from going")
def locked_in(ground: PackagesGround) -> str:
    with ground.stock("locked") as site:
        machine = site.machine
        ground.install(site)
        ground.signs_in(site)
        text = machine.read("/etc/pam.d/sshd")
        machine.write_file("/etc/pam.d/sshd", "account required pam_entralogin.so\n" + text)
        outcome = apt(machine, "remove", NAME)
        require(not outcome.ok and "/etc/pam.d/sshd:1:" in outcome.text, f"the package goes: {outcome.text}")
        require(machine.shell("ls /usr/lib/*/security/pam_entralogin.so").ok, "the module has gone")
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
        machine.write_file("/etc/pam.d/sshd", text)
        ground.signs_in(site)  # as if there had been no attempt
        require(apt(machine, "remove", NAME).ok, "the package stays")
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
    return "named, and lisa in throughout"


@case("P4", "installed into an image that does not run, the machine boots with sign-in on")
def image(ground: PackagesGround) -> str:
    machine = ground.bed.machine("image", base=ground.bare)
    outcome = apt(machine, "install", ground.packages.put(machine, ground.packages.current))
    require(outcome.ok, outcome.text)
    machine.stop()
    with ground.boot_on("image", machine) as site:
        site.machine.wait_until_up()
        ground.signs_in(site)
    return "wired before its first boot"


@case("P11", "the daemon talks to Azure through a libcurl without symbol versions, as other distributions build it, too")
def other_libcurl(ground: PackagesGround) -> str:
    with ground.stock("libcurl") as site:
        machine = site.machine
        found = machine.shell("readlink -f /usr/lib/*/libcurl.so.4").out.strip()
        library = machine.path(found).read_bytes()
        require(b"CURL_OPENSSL_4" in library, "Debian's libcurl has no versions")
        plain = unversioned(library)
        machine.path(f"{found}.new").write_bytes(plain)
        machine.must("mv", f"{found}.new", found)
        ground.install(site)
        ground.signs_in(site)
        mapped = machine.read(f"/proc/{machine.main_pid(DAEMON)}/maps")
        require(found in mapped, f"the daemon does not use {found}")
    return found


@case("P15", "journalctl -u entralogind ENTRALOGIN_DECISION=deny shows who was refused, and no one else")
def journal(ground: PackagesGround) -> str:
    with ground.stock("journal") as site:
        ground.install(site)
        ground.signs_in(site)
        query = ("journalctl", "-u", "entralogind", "ENTRALOGIN_DECISION=deny", "-o", "cat", "--no-pager")
        refusal = f"{ground.person('carol').login} (sshd) refused"
        wait_for(lambda: refusal in site.machine.run(*query).out, "the journal to show carol's refusal")
        shown = site.machine.must(*query).out
        require("alice" not in shown, f"alice among the refusals: {shown}")
        site.machine.must("dpkg", "--verify", NAME)
    return shown.splitlines()[-1][:100]


@case("P8", "at shutdown the daemon ends well and before its sockets, is waited for by nobody, and is never started again")
def shutdown(ground: PackagesGround) -> str:
    with ground.stock("shutdown") as site:
        machine = site.machine
        machine.write_file("/etc/systemd/journald.conf.d/50-test.conf", "[Journal]\nStorage=persistent\nSyncIntervalSec=0\n")
        machine.systemctl("restart", "systemd-journald")
        ground.install(site)
        ground.signs_in(site)
        equal((machine.property(DAEMON, "Restart"), machine.property(DAEMON, "RestartUSec")), ("on-failure", "2s"), "restarts")
        seconds = machine.power_off()
        records = machine.journal_on_disk()
    of_ours = [(r.get("UNIT", ""), r.get("JOB_TYPE", ""), r.get("JOB_RESULT", ""), r["MESSAGE"]) for r in records
               if r.get("UNIT", "").startswith("entralogind")]
    stopped = [unit for unit, kind, result, _ in of_ours if kind == "stop" and result == "done"]
    equal(stopped[:1], [DAEMON], f"what stopped first: {of_ours[-6:]}")
    # The journal may miss the messages of the last units, because it stops, too.
    require(any(unit.endswith(".socket") for unit in stopped[1:]), f"stopped: {stopped}")
    last = [message for unit, _, _, message in of_ours if unit == DAEMON][-3:]
    require(not any(word in message for message in last for word in ("Failed", "killed", "timed out", "Starting")), f"{last}")
    return f"powered off in {seconds:.1f} s; {' | '.join(last)}"
