# SPDX-License-Identifier: Apache-2.0
"""Where one package works: what its programs need, and machines that lack what newer ones have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from bed.booted import BootedMachine
from bed.checks import admitted, equal, refused, require
from bed.installed import CONFIGURE, REPOSITORY, TOOL
from bed.machine import run, wait_for
from booted_ground import DAEMON
from case import case
from packages_ground import OpenSession, PackagesGround
from sessions import ON, Connection, gone, record_of, uid_of
from simulator import contoso

DROP_IN = f"/etc/systemd/system/{DAEMON}.d/50-older.conf"
CHECK = str(REPOSITORY / "packaging/check-symbols")
OPENED = ("libcrypto.so", "libcurl.so", "libstdc++.so", "libssl.so")
WITHOUT_GSSAPI = """#!/bin/sh
for file in "$@"; do
    number=$(grep -n "^ *GSSAPIAuthentication " "$file" /etc/ssh/sshd_config.d/*.conf 2>/dev/null | head -n 1)
    [ "$1" != -t ] || [ -z "$number" ] || echo "$file line 1: Unsupported option GSSAPIAuthentication" >&2
done
exec /usr/sbin/sshd.real "$@"
"""


def needed(program: Path) -> set[str]:
    said = subprocess.run(["readelf", "-d", str(program)], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", said))


def with_drop_in(machine: BootedMachine, text: str) -> None:
    machine.must("mkdir", "-p", str(Path(DROP_IN).parent))
    machine.write_file(DROP_IN, text)
    machine.systemctl("daemon-reload")


@case("P17", "one package for every distribution: it needs no newer library than stated, and its Depends say so")
def stated(ground: PackagesGround) -> str:
    tree = ground.bed.scratch / "reach"
    tree.mkdir()
    run(["dpkg-deb", "-x", str(ground.packages.current), str(tree / "package")])
    checked = run([CHECK, str(tree / "package")])
    require(checked.ok, checked.text)
    for program in ("usr/sbin/entralogind", "usr/bin/entraloginctl"):
        names = needed(tree / "package" / program)
        require("libc.so.6" in names and not any(name.startswith(OPENED) for name in names), f"{program} needs {names}")
    depends = run(["dpkg-deb", "-f", str(ground.packages.current), "Depends"]).out
    floor = dict(line.split() for line in run([CHECK, "--stated"]).lines())["GLIBC"]
    for word in (f"libc6 (>= {floor})", "libssl3 | libssl1.1 (>= 1.1.1)", "libcurl4 (>= 7.54)", "openssh-server (>= 1:7.8)"):
        require(word in depends, f"{word} is missing in {depends}")
    require("libstdc++" not in depends, depends)
    # The control: a program that was linked for the build machine is refused.
    (tree / "host").mkdir()
    shutil.copy(REPOSITORY / "build/entralogind", tree / "host")
    newer = run([CHECK, str(tree / "host")])
    require(not newer.ok and f"stated is {floor}" in newer.text, newer.text)
    require(run([CHECK, "--host", str(tree / "host")]).ok, "what is for this machine alone is refused as well")
    return f"glibc {floor}"


@case("P4", "where the kernel gives no pidfds, or a filter refuses them, people sign in and have sudo",
      deep=True)
def without_pidfds(ground: PackagesGround) -> str:
    with ground.stock("pidfds") as site:
        machine = site.machine
        ground.install(site)
        for error in ("ENOSYS", "EPERM"):
            # A kernel without pidfds is older than 5.8, and gives no service a /proc of its own either.
            with_drop_in(machine, "[Service]\nProtectProc=default\nSystemCallFilter=~pidfd_open\n"
                                  f"SystemCallErrorNumber={error}\n")
            machine.systemctl("restart", DAEMON)
            ground.signs_in(site)
            session = OpenSession(ground.person("bob"), site.port)
            try:
                require(session.ask("id -u").isdigit(), "bob's session")
                held = machine.shell(f"ls -l /proc/{machine.main_pid(DAEMON)}/fd").out
                require("pidfd" not in held and re.search(r"-> /proc/\d+\n", held) is not None, held)
            finally:
                session.end()
    return "held by folders of /proc"


@case("P2", "programs that may make few system calls start under this systemd: events are told, and sessions end", deep=True)
def few_calls(ground: PackagesGround) -> str:
    """systemd's groups of system calls differ by version; a program that may not make one of its first calls never runs."""
    with ground.stock("few-calls") as site:
        ground.install(site)
        site.settings(ON)
        person = ground.newcomer()
        uid = uid_of(site, person)
        connection = Connection(site, person)
        try:
            admitted(connection.ask("id -u"), f"{uid}\n")
            ground.azure.withdraw(ground.key_of(person))
            site.tool("check", person.login)
            refused(site.ssh(person, "id"), contoso.USER)
            wait_for(lambda: connection.master.poll() is not None, "the end of the connection", 30)
        finally:
            connection.close()
        gone(site, uid)
        equal(record_of(site, person).get("ENTRALOGIN_REASON"), "role-not-assigned", "the record's reason")
        for unit in ("entralogin-audit", "entralogin-sessions"):
            said = site.machine.run("journalctl", "--no-pager", "-o", "cat", "-u", f"{unit}.service").out
            require("Failed with result" not in said and "error while loading" not in said, f"{unit}: {said}")
        wait_for(lambda: " 0 dropped" in site.tool("status").out, "the audit events")
        require("was not told of" not in site.tool("doctor").text, "doctor: events were not told")
    return "both run"


@case("P11", "this systemd knows every setting of entralogin's units: it passes over none", deep=True)
def known_settings(ground: PackagesGround) -> str:
    with ground.stock("settings") as site:
        machine = site.machine
        said = ground.install(site)
        require(said.ok, said.text)
        ground.signs_in(site)
        with_drop_in(machine, "[Service]\nNoSuchSetting=yes\n")

        def passed_over() -> list[str]:
            told = machine.run("journalctl", "-b", "--no-pager", "-o", "cat", "_PID=1").lines()
            return [line for line in told if re.search(r"/entralogin[^ :]*:\d+: .*ignoring", line)]

        wait_for(lambda: any("NoSuchSetting" in line for line in passed_over()), "systemd's word on a setting of nobody's")
        equal([line for line in passed_over() if "NoSuchSetting" not in line], [], "what systemd passes over")
    return "and names one of nobody's"


@case("P1", "without libcrypto the daemon does not start, says what is missing, and lets nobody in", deep=True)
def without_libcrypto(ground: PackagesGround) -> str:
    with ground.stock("libcrypto") as site:
        machine = site.machine
        ground.install(site)
        ground.signs_in(site)
        libraries = machine.shell("ls /usr/lib/*/libcrypto.so.*").lines()
        with_drop_in(machine, "[Service]\nInaccessiblePaths=" + " ".join(libraries) + "\n")
        machine.run("systemctl", "restart", DAEMON)
        wait_for(lambda: "OpenSSL 3 or 1.1.1 is needed: libcrypto.so.3" in
                 machine.run("journalctl", "-u", DAEMON, "--no-pager").out, "the daemon's reason")
        require(not site.ssh(ground.person("alice"), "true").ok, "alice came in")
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
        machine.remove(DROP_IN)
        machine.systemctl("daemon-reload")
        machine.run("systemctl", "reset-failed", DAEMON)
        machine.run("systemctl", "restart", DAEMON)
        ground.signs_in(site)
    return "named in the journal"


@case("P17", "an sshd without GSSAPI is given no line about it, and has nothing to complain of", deep=True)
def without_gssapi(ground: PackagesGround) -> str:
    with ground.stock("gssapi") as site:
        machine = site.machine
        machine.must("mv", "/usr/sbin/sshd", "/usr/sbin/sshd.real")
        machine.write_file("/usr/sbin/sshd", WITHOUT_GSSAPI)
        machine.must("chmod", "0755", "/usr/sbin/sshd")
        said = ground.install(site).text
        require("Unsupported option" not in said, said)
        text = machine.read("/etc/ssh/sshd_config.d/00-entralogin.conf")
        require("HostbasedAuthentication no" in text and "GSSAPIAuthentication no" not in text, text)
        machine.must("mv", "/usr/sbin/sshd.real", "/usr/sbin/sshd")
        ground.signs_in(site)
    return "no line"


@case("P17", "where pam-auth-update knows no --disable, sign-in is turned off, and on again", deep=True)
def without_disabling(ground: PackagesGround) -> str:
    with ground.stock("disabling") as site:
        machine = site.machine
        ground.install(site)
        machine.must("sed", "-i", "s/--disable/--none-such/g", "/usr/sbin/pam-auth-update")
        machine.run("pam-auth-update", "--package", "--disable", "entralogin")
        lines = "grep pam_entralogin /etc/pam.d/common-*"
        require(machine.shell(lines).ok, "it knows --disable")
        machine.must(CONFIGURE, "--disable")
        require(not machine.shell(lines).ok, "lines of PAM are left")
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
        machine.must(CONFIGURE, "--enable")
        ground.signs_in(site)
    return "off and on"


@case("P17", "presets that switch every unit off, as the first boot of a captured image applies them, leave sign-in on",
      deep=True)
def presets(ground: PackagesGround) -> str:
    with ground.stock("presets") as site:
        machine = site.machine
        ground.install(site)
        site.wait_until_ready()
        units = machine.must("systemctl", "list-unit-files", "--state=enabled", "--no-legend", "entralogin*").lines()
        names = [line.split()[0] for line in units]
        require(DAEMON in names and len(names) > 5, f"enabled: {names}")
        machine.write_file("/etc/systemd/system-preset/99-none.preset", "enable ssh.service\ndisable *\n")
        machine.run("systemctl", "preset-all")
        require(not machine.run("systemctl", "is-enabled", "cron.service").ok, "nothing was switched off, so nothing was tried")
        off = [name for name in names if not machine.run("systemctl", "is-enabled", name).ok]
        equal(off, [], "units that were switched off")
        machine.must(TOOL, "setup", "--undo")
        machine.run("systemctl", "preset-all")
        on = [name for name in names if machine.run("systemctl", "is-enabled", name).ok]
        equal(on, [], "units that presets switch on where sign-in is off")
    return f"{len(names)} units"


@case("P8", "a module that the package has put where libpam does not look, as on SUSE: a link leads there, and goes with PAM's "
      "lines", deep=True)
def elsewhere(ground: PackagesGround) -> str:
    with ground.stock("elsewhere") as site:
        machine = site.machine
        ground.install(site)
        machine.must(TOOL, "setup", "--undo")
        theirs = machine.shell("dirname /usr/lib/*-linux-gnu/security/pam_unix.so").out.strip()
        link = f"{theirs}/pam_entralogin.so"
        machine.must("mkdir", "-p", "/usr/lib64/security")
        machine.must("mv", link, "/usr/lib64/security/pam_entralogin.so")
        machine.must(CONFIGURE, "--enable")
        equal(machine.run("readlink", link).out, "/usr/lib64/security/pam_entralogin.so\n", "where the link leads")
        ground.signs_in(site)
        machine.must(CONFIGURE, "--enable")
        machine.must(CONFIGURE, "--disable")
        require(not machine.run("test", "-L", link).ok, "the link is left")
        require(machine.run("test", "-f", "/usr/lib64/security/pam_entralogin.so").ok, "the module is gone")
        ground.stays_out(site)
    return link
