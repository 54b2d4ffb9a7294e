# SPDX-License-Identifier: Apache-2.0
"""Caches of the name service: flushed when something changes, and only where they run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from booted_environment import BootedEnvironment, BootedHost
from case import case
from simulator import contoso
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.installed import REPOSITORY
from testbed.machine import wait_for

WATCH = "entralogin-caches.path"
FORGETTING = "entralogin-caches.service"
# nscd as Debian has it, except that it does not cache passwd, and so does not look up users on sshd's behalf.
NSCD = "".join(f"\t{key}\t{value}\n" for key, value in (
    ("enable-cache", "passwd no"), ("enable-cache", "group yes"), ("positive-time-to-live", "group 3600"),
    ("negative-time-to-live", "group 3600"), ("check-files", "group yes"), ("persistent", "group no"),
    ("enable-cache", "hosts no"), ("enable-cache", "services no"), ("enable-cache", "netgroup no")))


@contextmanager
def nscd(host: BootedHost, configuration: str | None = None) -> Iterator[None]:
    """Runs nscd, as Debian has it or with another configuration."""
    machine = host.machine
    before = machine.read("/etc/nscd.conf")
    machine.write_file("/etc/nscd.conf", configuration or before)
    machine.systemctl("start", "nscd.service")
    try:
        yield
    finally:
        machine.systemctl("stop", "nscd.service", WATCH)
        machine.write_file("/etc/nscd.conf", before)


def runs(host: BootedHost) -> int:
    """How often the caches were flushed."""
    log = host.machine.must("journalctl", "--no-pager", "-o", "cat", "-u", FORGETTING, "JOB_RESULT=done").out
    return sum("Finished" in line for line in log.splitlines())


def wait_until_told(host: BootedHost, told: int) -> None:
    wait_for(lambda: runs(host) > told, "the caches to be told")


@contextmanager
def signed_in(host: BootedHost, person: Person) -> Iterator[None]:
    """A session that stays open."""
    argv = person.argv("-p", str(host.port), f"{person.login}@127.0.0.1", "echo in; read -r _")
    session = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert session.stdout is not None
        equal(session.stdout.readline(), "in\n", f"the session of {person.login}")
        yield
    finally:
        session.kill()
        session.wait()


@case("P5", "nscd forgets that a person was not there, and who was no administrator, when the person signs in")
def forgotten(env: BootedEnvironment) -> str:
    host, person = env.vm, env.newcomer()
    machine = host.machine
    env.azure.assign(env.key_of(person), contoso.ADMINISTRATOR)
    equal(machine.property(WATCH, "ActiveState"), "inactive", "the watch where no cache runs")
    # If one of the watched files is missing, systemd loses changes of the others.
    unit = (REPOSITORY / "systemd" / WATCH).read_text()
    watched = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("PathChanged=")]
    require(bool(watched) and all(machine.run("test", "-f", path).ok for path in watched), f"one of {watched} is missing")

    def says(group: str) -> bool:
        """Whether nscd knows the group: the person's own group by its name, a shared group among the person's groups."""
        if group == person.login:
            return machine.run("getent", "group", group).ok
        return group in machine.run("id", "-Gn", person.login).out.split()

    told = runs(host)
    with nscd(host, NSCD):
        equal(machine.property(WATCH, "ActiveState"), "active", "the watch where nscd runs")
        require(not says(person.login) and not says("entra_users") and not says("entra_admins"), "known before")
        wait_until_told(host, told)
        before = runs(host)
        with signed_in(host, person):
            for group in (person.login, "entra_users", "entra_admins"):
                wait_for(partial(says, group), f"nscd to forget the absence in {group}")
            # An earlier change may have flushed the cache while sshd was asking; the flush for this sign-in comes after that.
            wait_for(lambda: "entra_admins" in host.ssh(person, "id -Gn").out, "the groups of another session")
            admitted(host.ssh(person, "sudo -n id -u"), "0\n")
        wait_for(lambda: not says("entra_admins"), "nscd to forget the administrator after the last session")
        times = runs(host) - before
    return f"told {times} times; without that, an hour each"


@case("P8", "nscd as Debian has it: local users and enrolled users get in; a new one does not, until it is off")
def as_debian_has_it(env: BootedEnvironment) -> str:
    """A known limit: nscd asks for all processes, so it does not get the answer that sshd gets, and it caches the absence."""
    host, known, person = env.vm, env.newcomer(), env.newcomer()
    admitted(host.ssh(known, "true"))
    told = runs(host)
    with nscd(host):
        wait_until_told(host, told)
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        admitted(host.ssh(known, "id -un"), f"{known.login}\n")
        refused(host.ssh(person, "true"))
    admitted(host.ssh(person, "id -un"), f"{person.login}\n")
    told = runs(host)
    with nscd(host):
        # nscd starts again with what it kept on disk.
        wait_until_told(host, told)
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
    return "refused while nscd keeps passwd; in without it, and with it from then on"


@case("P9", "200 changes in a row tell the caches about once a second, and the last one is not missed")
def rate(env: BootedEnvironment) -> str:
    host = env.vm
    machine = host.machine
    told = runs(host)
    with nscd(host, NSCD):
        wait_until_told(host, told)
        before = runs(host)
        script = ("set -e; file=/var/lib/entralogin/nss/accounts.snapshot; "
                  "change() { cp -p $file $file.new; mv $file.new $file; sleep 0.01; }; "
                  "for n in $(seq 199); do change; done; date +%s.%N; change")
        outcome = machine.shell(script)
        require(outcome.ok, outcome.text)
        last = float(outcome.out)

        def is_over() -> bool:
            """Whether a flush has begun after the last change, and has ended."""
            told = machine.must("journalctl", "--no-pager", "-o", "short-unix", "-u", FORGETTING).out
            lines = [line for line in told.splitlines()
                     if not line.startswith("--") and float(line.split()[0]) > last]
            begun = next((n for n, line in enumerate(lines) if "Starting" in line), len(lines))
            return any("Finished" in line for line in lines[begun:])

        wait_for(is_over, "the caches to be told of the last change")
        times = runs(host) - before
        seconds = outcome.milliseconds / 1000
        require(1 <= times <= seconds + 3, f"told {times} times in {seconds:.1f} s")
        equal(machine.property(WATCH, "ActiveState"), "active", "the watch afterwards")
    return f"told {times} times for 200 changes in {seconds:.1f} s"
