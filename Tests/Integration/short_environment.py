# SPDX-License-Identifier: Apache-2.0
"""Machines with short names (`ShortNames=`), and how people spell their names there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from environment import SETTINGS, Environment, Host
from testbed import Person
from testbed.checks import require
from testbed.installed import CONFIGURE

DOMAIN = "contoso.com"
GROUP, GROUP_GID = "entra_short_names", 1879048194
ON = f"[Accounts]\nShortNames={DOMAIN}\n"
NSSWITCH = "/etc/nsswitch.conf"
COMMON_ACCOUNT = "/etc/pam.d/common-account"
DROP_IN = "/etc/ssh/sshd_config.d/00-entralogin.conf"


def local_part(person: Person) -> str:
    return person.login.partition("@")[0]


def called(person: Person, login: str) -> Person:
    """The same key and certificate, with another name given to ssh."""
    return replace(person, login=login)


def short(person: Person) -> Person:
    return called(person, local_part(person))


def rewire(host: Host) -> None:
    """What an administrator does after changing ShortNames=: runs configure, restarts the daemon and reloads sshd."""
    host.machine.run(CONFIGURE, "--enable")  # its check fails until sshd is reloaded below
    host.service.stop()
    host.begin()
    host.reload()
    host.stamped()


def switch(host: Host, settings: str) -> None:
    host.machine.write(SETTINGS, settings)
    rewire(host)


@contextmanager
def short_names(env: Environment, name: str, settings: str = "", layered: bool = False, sshd: str = "") -> Iterator[Host]:
    """A machine where people of contoso.com have short names; `settings` follow in the same file."""
    with env.fresh(name, sshd=sshd, settings=ON + settings, started=False, layered=layered) as host:
        host.machine.must(CONFIGURE, "--enable")
        host.machine.start_sshd(host.port)
        host.begin()
        host.stamped()
        yield host


def add_local(env: Environment, host: Host, name: str, uid: int = 2001) -> Person:
    """Adds a local user who signs in with lisa's key; by hand, because useradd refuses a name that the name service has."""
    machine, home = host.machine, f"/srv/local/{name}"
    machine.write("/etc/passwd", f"{machine.read('/etc/passwd')}{name}:x:{uid}:{uid}::{home}:/bin/bash\n")
    machine.write("/etc/group", f"{machine.read('/etc/group')}{name}:x:{uid}:\n")
    machine.write("/etc/shadow", f"{machine.read('/etc/shadow')}{name}:*:20000::::::\n", 0o640)
    machine.must("chgrp", "shadow", "/etc/shadow")
    keys = machine.read("/home/lisa/.ssh/authorized_keys")
    machine.write(f"{home}/.ssh/authorized_keys", keys, 0o600)
    machine.must("chown", "-R", f"{uid}:{uid}", home)
    machine.must("chmod", "0700", home, f"{home}/.ssh")
    require(machine.uid(name) == uid, f"{name} is not the local user")
    return called(env.lisa, name)


def card(host: Host, name: str) -> str:
    outcome = host.tool("users", "show", name)
    require(outcome.ok, f"users show {name}: {outcome.text}")
    return " ".join(outcome.text.split())
