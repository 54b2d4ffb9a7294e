# SPDX-License-Identifier: Apache-2.0
"""The Debian package on booted machines: installed, upgraded, removed, purged; on machines that it must leave alone."""

from __future__ import annotations

import re

from booted_environment import DAEMON, BootedHost
from case import case
from packages_environment import OpenSession, PackagesEnvironment
from testbed.booted import BootedMachine
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE, REPOSITORY, TOOL
from testbed.machine import wait_for
from testbed.packages import NAME, apt, differences, inventory, other_product, state
from testbed.unversioned import unversioned

LINGER = "/var/lib/systemd/linger"
USERS = {"entralogin", "entralogin-ssh", "entralogin-audit", "entralogin-sessions"}
WIRED = ("/etc/ssh", "/etc/pam.d", "/etc/nsswitch.conf", "/etc/sudoers", "/etc/sudoers.d")
# What stays after a purge, and why: Documentation/install.md.
KEPT = {"+/var/lib/entralogin", "+/var/lib/entralogin/accounts"}
ACCOUNTS = {"~/etc/group", "~/etc/gshadow", "~/etc/passwd", "~/etc/shadow", "+/etc/.pwd.lock"}
FORMER_LINKS = ("/etc/systemd/system/entralogind.service.wants/entralogin-userdb.service", "/run/systemd/userdb/io.entralogin")
# useradd and groupadd may keep the previous version of a file.
MAY_STAY = {f"{sign}/etc/{name}-" for sign in "+~" for name in ("group", "gshadow", "passwd", "shadow")} | ACCOUNTS


def integration(host: BootedHost) -> dict[str, str]:
    return inventory(host.machine, *WIRED)


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
def journey(env: PackagesEnvironment) -> str:
    with env.stock("journey") as host:
        machine = host.machine
        before = inventory(machine)
        lisa = OpenSession(env.lisa, host.port)
        try:
            env.install(host, env.packages.previous)
            env.signs_in(host)
            require("module_unknown" not in machine.read("/etc/pam.d/common-account"), "not the old lines of PAM")
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the installation")
            pid, record = machine.main_pid(DAEMON), machine.passwd(env.person("alice").login)
            manager = f"user@{record[2]}.service"
            machine.must("sh", "-c", f"touch {LINGER}/{env.person('alice').login}")
            machine.systemctl("start", manager)
            lingering = machine.main_pid(manager)

            leave_former_parts(machine)
            env.install(host)
            env.signs_in(host)
            without_former_parts(machine)
            upgraded = {stage: machine.read(f"/etc/pam.d/common-{stage}") for stage in ("account", "session")}
            for stage, text in upgraded.items():
                lines = [line for line in text.splitlines() if "entralogin" in line]
                require(len(lines) == 1 and "module_unknown=ignore" in lines[0], f"{stage} after the upgrade: {lines}")
            require(machine.main_pid(DAEMON) != pid, "the daemon of the version before still runs")
            equal(machine.passwd(env.person("alice").login), record, "alice's record after the upgrade")
            equal(machine.main_pid(manager), lingering, "alice's user manager after the upgrade")
            equal(machine.property("entralogin-linger.path", "ActiveState"), "active", "what starts managers later")
            machine.systemctl("stop", manager)
            machine.must("sh", "-c", f"rm {LINGER}/*")
            equal(lisa.ask("sudo -n -l >/dev/null 2>&1; id -un"), "lisa", "lisa's session after the upgrade")

            env.install(host)
            host.wait_until_ready()
            admitted(host.ssh(env.person("alice"), "sudo -n id -u"), "0\n")
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the reinstallation")

            # If the integration cannot be renewed, it stays as it is, but the old program is restarted.
            pid = machine.main_pid(DAEMON)
            machine.must("mv", "/usr/sbin/visudo", "/usr/sbin/visudo.away")
            machine.must("ln", "-s", "/bin/false", "/usr/sbin/visudo")
            says(env.install(host).text, "look at it with: entraloginctl doctor")
            machine.must("mv", "/usr/sbin/visudo.away", "/usr/sbin/visudo")
            require(machine.main_pid(DAEMON) not in (0, pid), "the daemon from before the reinstallation still runs")
            env.signs_in(host)

            outcome = apt(machine, "remove", NAME)
            require(outcome.ok and state(machine) == "deinstall ok config-files", outcome.text)
            env.stays_out(host)
            equal(machine.property(DAEMON, "ActiveState"), "inactive", "the daemon after the removal")
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the removal")

            env.install(host)
            env.signs_in(host)
            equal(machine.passwd(env.person("alice").login), record, "alice's record after all that")
            for stage, text in upgraded.items():
                equal(machine.read(f"/etc/pam.d/common-{stage}"), text, f"{stage}: upgraded, beside a first installation")

            env.purge(host)
            env.stays_out(host)
            equal(lisa.ask("id -un"), "lisa", "lisa's session after the purge")
        finally:
            lisa.end()
        left = set(differences(before, inventory(machine)))
        equal(sorted(left - MAY_STAY), sorted(KEPT), "files after the purge")
        there = {line.split(":")[0] for line in machine.read("/etc/passwd").splitlines()}
        require(USERS | {"lisa"} <= there, f"the accounts after the purge: {there}")
    return f"left: {', '.join(sorted(KEPT))}, three system users"


@case("P8", "purged before anybody signed in, nothing is left but three system users", deep=True)
def untouched(env: PackagesEnvironment) -> str:
    with env.stock("untouched") as host:
        before = inventory(host.machine)
        env.install(host)
        host.wait_until_ready()
        env.purge(host)
        left = set(differences(before, inventory(host.machine))) - MAY_STAY
        equal(sorted(left), [], "files after the purge")
    return "nothing"


def says(text: str, *words: str) -> None:
    told = " ".join(text.split())
    for word in words:
        require(word in told, f"not said: {word!r}: {text}")


def left_alone(env: PackagesEnvironment, host: BootedHost, reason: str) -> None:
    """Requires that the package installs but changes nothing, and says why and what is missing; so do doctor and stack."""
    before = integration(host)
    says(env.install(host).text, reason, "pam_entralogin.so", "nsswitch", "setup --apply")
    equal(differences(before, integration(host)), [], "what the package changed")
    for words in (("doctor",), ("stack",)):
        seen = host.tool(*words)
        require(not seen.ok, f"{words} find nothing wrong")
        says(seen.out, reason, "pam_entralogin.so")
    env.stays_out(host)


@case("P7", "a machine hardened by hand (PAM, sshd or sudo) or with aadsshlogin is left alone, and told what is missing")
def hardened(env: PackagesEnvironment) -> str:
    edits = {
        "/etc/pam.d/sshd": "account required pam_access.so\n",
        "/etc/pam.d/common-account": "account required pam_time.so\n",
        "/etc/sudoers": "Defaults use_pty\n",
        "/etc/ssh/sshd_config.d/60-hardened.conf": "AllowGroups sudo\n",
        "/etc/ssh/sshd_config": "Match User nobody\n    PasswordAuthentication no\n",
    }
    with env.stock("hardened") as host:
        machine = host.machine
        other = env.packages.put(machine, other_product(env.testbed.scratch / "packages", "aadsshlogin"))
        machine.must("dpkg", "-i", other)
        left_alone(env, host, "the package aadsshlogin is installed")
        machine.must("dpkg", "--purge", "aadsshlogin")
        for path, line in edits.items():
            there = machine.path(path).exists()
            text = machine.read(path) if there else ""
            machine.write_file(path, text + line)
            before = integration(host)
            # What the package's script calls at a first installation.
            says(machine.must(CONFIGURE, "--package-installed").text, path, "pam_entralogin.so", "setup --apply")
            equal(differences(before, integration(host)), [], f"what was changed beside {path}")
            machine.write_file(path, text) if there else machine.remove(path)
        # There are no reasons any more, but an upgrade does not turn sign-in on where it was off.
        equal(machine.must(CONFIGURE, "--survey").text, "", "reasons on a machine that is stock again")
        env.install(host)
        env.stays_out(host)
        machine.must(TOOL, "setup", "--apply")
        env.signs_in(host)
    return f"{len(edits)} edits and one other product"


def well(host: BootedHost) -> None:
    """Checks what a careful administrator looks at after the installation."""
    machine = host.machine
    seen = machine.must("systemctl", "status", "--no-pager", DAEMON).out
    require("FAILURE" not in seen and "status=0/SUCCESS" in seen, f"systemctl status: {seen}")
    told = machine.must("journalctl", "--no-pager", "--unit", DAEMON).out
    require("FAILED" not in told and "keeps Entra accounts out" not in told, f"the daemon's journal: {told}")
    listed = set(machine.must("dpkg", "--listfiles", NAME).out.splitlines())
    manual = " ".join(page.read_text() for page in (REPOSITORY / "packaging/man").iterdir())
    named = set(re.findall(r"/usr/share/doc/entralogin/[\w/-]+\.md", manual))
    require(bool(named) and named <= listed, f"a manual page names what the package lacks: {named - listed}")


@case("P8", "setup --dry-run changes nothing, --apply and --undo do what they say, again and again")
def setup(env: PackagesEnvironment) -> str:
    with env.stock("setup") as host:
        machine = host.machine
        stock = integration(host)
        env.install(host)
        well(host)
        wired = integration(host)
        says(machine.must(TOOL, "setup", "--apply").text, "The integration is right. For the rest: entraloginctl doctor")
        equal(differences(wired, integration(host)), [], "setup --apply on a wired machine")
        env.signs_in(host)
        for _ in range(2):
            machine.must(TOOL, "setup", "--undo")
            equal(differences(stock, integration(host)), [], "setup --undo")
        env.stays_out(host)
        shown = machine.must(TOOL, "setup", "--dry-run").text
        for text in ("would write /etc/ssh/sshd_config.d/00-entralogin.conf", "pam-auth-update", "nsswitch.conf", "sudoers.d"):
            require(text in shown, f"--dry-run does not name {text!r}: {shown}")
        equal(differences(stock, integration(host)), [], "setup --dry-run")
        machine.must(TOOL, "setup", "--apply")
        equal(differences(wired, integration(host)), [], "setup --apply after --undo")
        env.signs_in(host)
    return "as it was, twice"


@case("P4", "where sshd_config has no Include, one marked block is appended, holds, and goes again")
def without_include(env: PackagesEnvironment) -> str:
    config = "/etc/ssh/sshd_config"
    with env.stock("include") as host:
        machine = host.machine
        text = "".join(line + "\n" for line in machine.read(config).splitlines() if not line.startswith("Include"))
        # sshd does not read the folder any more, so the testbed's own settings are put into this file.
        text = f"Port {host.port}\nMaxStartups 200\nLogLevel VERBOSE\n" + text
        machine.write_file(config, text)
        machine.reload_sshd(host.port)
        left_alone(env, host, "does not read /etc/ssh/sshd_config.d any more")
        machine.must(TOOL, "setup", "--apply")
        require(machine.read(config).startswith(text) and machine.read(config).count("\nMatch User") == 1, machine.read(config))
        env.signs_in(host)
        again = machine.read(config)
        machine.must(TOOL, "setup", "--apply")
        equal(machine.read(config), again, "sshd_config after a second --apply")
        machine.must(TOOL, "setup", "--undo")
        equal(machine.read(config), text, "sshd_config after --undo")
    return "one block, and none"


@case("P8", "an sshd_config that sshd refuses: the package installs, sshd is not reloaded and goes on")
def refused_configuration(env: PackagesEnvironment) -> str:
    with env.stock("refused") as host:
        machine = host.machine
        pid = machine.main_pid("ssh.service")
        before = integration(host)
        machine.write_file("/etc/ssh/sshd_config.d/70-wrong.conf", "NoSuchKeyword yes\n")
        said = env.install(host).text
        require("sshd refuses" in said, said)
        equal(differences(before, integration(host)), ["+/etc/ssh/sshd_config.d/70-wrong.conf"], "what the package changed")
        equal(machine.main_pid("ssh.service"), pid, "sshd's process")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        env.purge(host)
        equal(machine.main_pid("ssh.service"), pid, "sshd's process after the purge")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    return "lisa in throughout"


@case("P8", "a line of PAM written by hand that would lock everybody out without the module keeps the package from going")
def locked_in(env: PackagesEnvironment) -> str:
    with env.stock("locked") as host:
        machine = host.machine
        env.install(host)
        env.signs_in(host)
        text = machine.read("/etc/pam.d/sshd")
        machine.write_file("/etc/pam.d/sshd", "account required pam_entralogin.so\n" + text)
        outcome = apt(machine, "remove", NAME)
        require(not outcome.ok and "/etc/pam.d/sshd:1:" in outcome.text, f"the package goes: {outcome.text}")
        require(machine.shell("ls /usr/lib/*/security/pam_entralogin.so").ok, "the module has gone")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        machine.write_file("/etc/pam.d/sshd", text)
        env.signs_in(host)  # as if there had been no attempt
        require(apt(machine, "remove", NAME).ok, "the package stays")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    return "named, and lisa in throughout"


@case("P4", "installed into an image that does not run, the machine boots with sign-in on")
def image(env: PackagesEnvironment) -> str:
    machine = env.testbed.machine("image", base=env.bare)
    outcome = apt(machine, "install", env.packages.put(machine, env.packages.current))
    require(outcome.ok, outcome.text)
    machine.stop()
    with env.boot_on("image", machine) as host:
        host.machine.wait_until_up()
        env.signs_in(host)
    return "wired before its first boot"


@case("P11", "the daemon talks to Azure through a libcurl without symbol versions, as other distributions build it, too")
def other_libcurl(env: PackagesEnvironment) -> str:
    with env.stock("libcurl") as host:
        machine = host.machine
        found = machine.shell("readlink -f /usr/lib/*/libcurl.so.4").out.strip()
        library = machine.path(found).read_bytes()
        require(b"CURL_OPENSSL_4" in library, "Debian's libcurl has no versions")
        plain = unversioned(library)
        machine.path(f"{found}.new").write_bytes(plain)
        machine.must("mv", f"{found}.new", found)
        env.install(host)
        env.signs_in(host)
        mapped = machine.read(f"/proc/{machine.main_pid(DAEMON)}/maps")
        require(found in mapped, f"the daemon does not use {found}")
    return found


@case("P15", "journalctl -u entralogind ENTRALOGIN_DECISION=deny shows who was refused, and no one else")
def journal(env: PackagesEnvironment) -> str:
    with env.stock("journal") as host:
        env.install(host)
        env.signs_in(host)
        query = ("journalctl", "-u", "entralogind", "ENTRALOGIN_DECISION=deny", "-o", "cat", "--no-pager")
        refusal = f"{env.person('carol').login} (sshd) refused"
        wait_for(lambda: refusal in host.machine.run(*query).out, "the journal to show carol's refusal")
        shown = host.machine.must(*query).out
        require("alice" not in shown, f"alice among the refusals: {shown}")
        host.machine.must("dpkg", "--verify", NAME)
    return shown.splitlines()[-1][:100]


@case("P8", "at shutdown the daemon ends well and before its sockets, is waited for by nobody, and is never started again")
def shutdown(env: PackagesEnvironment) -> str:
    with env.stock("shutdown") as host:
        machine = host.machine
        machine.write_file("/etc/systemd/journald.conf.d/50-test.conf", "[Journal]\nStorage=persistent\nSyncIntervalSec=0\n")
        machine.systemctl("restart", "systemd-journald")
        env.install(host)
        env.signs_in(host)
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
