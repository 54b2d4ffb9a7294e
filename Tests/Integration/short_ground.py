# SPDX-License-Identifier: Apache-2.0
"""Machines with short names (`ShortNames=`), and how people spell their names there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bed import Person
from bed.checks import require
from bed.installed import CONFIGURE
from ground import SETTINGS, Ground, Site

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


def rewire(site: Site) -> None:
    """What an administrator does once ShortNames= has another value: configure, and a restart."""
    site.machine.run(CONFIGURE, "--enable")  # its check waits for sshd, which is reloaded here
    site.service.stop()
    site.begin()
    site.reload()
    site.stamped()


def switch(site: Site, settings: str) -> None:
    site.machine.write(SETTINGS, settings)
    rewire(site)


@contextmanager
def short_names(ground: Ground, name: str, settings: str = "", layered: bool = False, sshd: str = "") -> Iterator[Site]:
    """A machine where people of contoso.com have short names; `settings` follow in the same file."""
    with ground.fresh(name, sshd=sshd, settings=ON + settings, started=False, layered=layered) as site:
        site.machine.must(CONFIGURE, "--enable")
        site.machine.start_sshd(site.port)
        site.begin()
        site.stamped()
        yield site


def add_local(ground: Ground, site: Site, name: str, uid: int = 2001) -> Person:
    """A local user who signs in with lisa's key. useradd refuses a name that the name service has: so by hand."""
    machine, home = site.machine, f"/srv/local/{name}"
    machine.write("/etc/passwd", f"{machine.read('/etc/passwd')}{name}:x:{uid}:{uid}::{home}:/bin/bash\n")
    machine.write("/etc/group", f"{machine.read('/etc/group')}{name}:x:{uid}:\n")
    machine.write("/etc/shadow", f"{machine.read('/etc/shadow')}{name}:*:20000::::::\n", 0o640)
    machine.must("chgrp", "shadow", "/etc/shadow")
    keys = machine.read("/home/lisa/.ssh/authorized_keys")
    machine.write(f"{home}/.ssh/authorized_keys", keys, 0o600)
    machine.must("chown", "-R", f"{uid}:{uid}", home)
    machine.must("chmod", "0700", home, f"{home}/.ssh")
    require(machine.uid(name) == uid, f"{name} is not the local user")
    return called(ground.lisa, name)


def card(site: Site, name: str) -> str:
    outcome = site.tool("users", "show", name)
    require(outcome.ok, f"users show {name}: {outcome.text}")
    return " ".join(outcome.text.split())
