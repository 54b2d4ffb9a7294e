# SPDX-License-Identifier: Apache-2.0
"""Where one package works: what its programs need, and machines that lack what newer ones have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from booted_environment import DAEMON
from case import case
from packages_environment import OpenSession, PackagesEnvironment
from sessions import ON, Connection, gone, record_of, uid_of
from simulator import contoso
from testbed.booted import BootedMachine
from testbed.checks import admitted, equal, refused, require
from testbed.installed import CONFIGURE, REPOSITORY, TOOL
from testbed.machine import run, wait_for

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
def stated(env: PackagesEnvironment) -> str:
    tree = env.testbed.scratch / "reach"
    tree.mkdir()
    run(["dpkg-deb", "-x", str(env.packages.current), str(tree / "package")])
    checked = run([CHECK, str(tree / "package")])
    require(checked.ok, checked.text)
    for program in ("usr/sbin/entralogind", "usr/bin/entraloginctl"):
        names = needed(tree / "package" / program)
        require("libc.so.6" in names and not any(name.startswith(OPENED) for name in names), f"{program} needs {names}")
    depends = run(["dpkg-deb", "-f", str(env.packages.current), "Depends"]).out
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
def without_pidfds(env: PackagesEnvironment) -> str:
    with env.stock("pidfds") as host:
        machine = host.machine
        env.install(host)
        for error in ("ENOSYS", "EPERM"):
            # A kernel without pidfds is older than 5.8, so it cannot give a service a /proc of its own either.
            with_drop_in(machine, "[Service]\nProtectProc=default\nSystemCallFilter=~pidfd_open\n"
                                  f"SystemCallErrorNumber={error}\n")
            machine.systemctl("restart", DAEMON)
            env.signs_in(host)
            session = OpenSession(env.person("bob"), host.port)
            try:
                require(session.ask("id -u").isdigit(), "bob's session")
                held = machine.shell(f"ls -l /proc/{machine.main_pid(DAEMON)}/fd").out
                require("pidfd" not in held and re.search(r"-> /proc/\d+\n", held) is not None, held)
            finally:
                session.end()
    return "held by folders of /proc"


@case("P2", "programs that may make few system calls start under this systemd: events are told, and sessions end", deep=True)
def few_calls(env: PackagesEnvironment) -> str:
    """systemd's groups of system calls differ by version; a program that may not make one of its first calls never runs."""
    with env.stock("few-calls") as host:
        env.install(host)
        host.settings(ON)
        person = env.newcomer()
        uid = uid_of(host, person)
        connection = Connection(host, person)
        try:
            admitted(connection.ask("id -u"), f"{uid}\n")
            env.azure.withdraw(env.key_of(person))
            host.tool("check", person.login)
            refused(host.ssh(person, "id"), contoso.USER)
            wait_for(lambda: connection.master.poll() is not None, "the end of the connection", 30)
        finally:
            connection.close()
        gone(host, uid)
        equal(record_of(host, person).get("ENTRALOGIN_REASON"), "role-not-assigned", "the record's reason")
        for unit in ("entralogin-audit", "entralogin-sessions"):
            said = host.machine.run("journalctl", "--no-pager", "-o", "cat", "-u", f"{unit}.service").out
            require("Failed with result" not in said and "error while loading" not in said, f"{unit}: {said}")
        wait_for(lambda: " 0 dropped" in host.tool("status").out, "the audit events")
        require("did not get" not in host.tool("doctor").text, "doctor: events were lost")
    return "both run"


@case("P11", "this systemd knows every setting of entralogin's units: it passes over none", deep=True)
def known_settings(env: PackagesEnvironment) -> str:
    with env.stock("settings") as host:
        machine = host.machine
        said = env.install(host)
        require(said.ok, said.text)
        env.signs_in(host)
        with_drop_in(machine, "[Service]\nNoSuchSetting=yes\n")

        def passed_over() -> list[str]:
            told = machine.run("journalctl", "-b", "--no-pager", "-o", "cat", "_PID=1").lines()
            return [line for line in told if re.search(r"/entralogin[^ :]*:\d+: .*ignoring", line)]

        wait_for(lambda: any("NoSuchSetting" in line for line in passed_over()), "systemd's word on a setting of nobody's")
        equal([line for line in passed_over() if "NoSuchSetting" not in line], [], "what systemd passes over")
    return "and names one of nobody's"


@case("P1", "without libcrypto the daemon does not start, says what is missing, and lets nobody in", deep=True)
def without_libcrypto(env: PackagesEnvironment) -> str:
    with env.stock("libcrypto") as host:
        machine = host.machine
        env.install(host)
        env.signs_in(host)
        libraries = machine.shell("ls /usr/lib/*/libcrypto.so.*").lines()
        with_drop_in(machine, "[Service]\nInaccessiblePaths=" + " ".join(libraries) + "\n")
        machine.run("systemctl", "restart", DAEMON)
        wait_for(lambda: "OpenSSL 3 or 1.1.1 is needed: libcrypto.so.3" in
                 machine.run("journalctl", "-u", DAEMON, "--no-pager").out, "the daemon's reason")
        require(not host.ssh(env.person("alice"), "true").ok, "alice came in")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        machine.remove(DROP_IN)
        machine.systemctl("daemon-reload")
        machine.run("systemctl", "reset-failed", DAEMON)
        machine.run("systemctl", "restart", DAEMON)
        env.signs_in(host)
    return "named in the journal"


@case("P17", "an sshd without GSSAPI is given no line about it, and has nothing to complain of", deep=True)
def without_gssapi(env: PackagesEnvironment) -> str:
    with env.stock("gssapi") as host:
        machine = host.machine
        machine.must("mv", "/usr/sbin/sshd", "/usr/sbin/sshd.real")
        machine.write_file("/usr/sbin/sshd", WITHOUT_GSSAPI)
        machine.must("chmod", "0755", "/usr/sbin/sshd")
        said = env.install(host).text
        require("Unsupported option" not in said, said)
        text = machine.read("/etc/ssh/sshd_config.d/00-entralogin.conf")
        require("HostbasedAuthentication no" in text and "GSSAPIAuthentication no" not in text, text)
        machine.must("mv", "/usr/sbin/sshd.real", "/usr/sbin/sshd")
        env.signs_in(host)
    return "no line"


@case("P17", "where pam-auth-update knows no --disable, sign-in is turned off, and on again", deep=True)
def without_disabling(env: PackagesEnvironment) -> str:
    with env.stock("disabling") as host:
        machine = host.machine
        env.install(host)
        machine.must("sed", "-i", "s/--disable/--none-such/g", "/usr/sbin/pam-auth-update")
        machine.run("pam-auth-update", "--package", "--disable", "entralogin")
        lines = "grep pam_entralogin /etc/pam.d/common-*"
        require(machine.shell(lines).ok, "it knows --disable")
        machine.must(CONFIGURE, "--disable")
        require(not machine.shell(lines).ok, "lines of PAM are left")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        machine.must(CONFIGURE, "--enable")
        env.signs_in(host)
    return "off and on"


@case("P17", "presets that switch every unit off, as the first boot of a captured image applies them, leave sign-in on",
      deep=True)
def presets(env: PackagesEnvironment) -> str:
    with env.stock("presets") as host:
        machine = host.machine
        env.install(host)
        host.wait_until_ready()
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
def elsewhere(env: PackagesEnvironment) -> str:
    with env.stock("elsewhere") as host:
        machine = host.machine
        env.install(host)
        machine.must(TOOL, "setup", "--undo")
        theirs = machine.shell("dirname /usr/lib/*-linux-gnu/security/pam_unix.so").out.strip()
        link = f"{theirs}/pam_entralogin.so"
        machine.must("mkdir", "-p", "/usr/lib64/security")
        machine.must("mv", link, "/usr/lib64/security/pam_entralogin.so")
        machine.must(CONFIGURE, "--enable")
        equal(machine.run("readlink", link).out, "/usr/lib64/security/pam_entralogin.so\n", "where the link leads")
        env.signs_in(host)
        machine.must(CONFIGURE, "--enable")
        machine.must(CONFIGURE, "--disable")
        require(not machine.run("test", "-L", link).ok, "the link is left")
        require(machine.run("test", "-f", "/usr/lib64/security/pam_entralogin.so").ok, "the module is gone")
        env.stays_out(host)
    return link
