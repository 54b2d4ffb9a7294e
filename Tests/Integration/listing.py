# SPDX-License-Identifier: Apache-2.0
"""Many people through the real glibc: who is listed, and a group that no first buffer holds."""

from __future__ import annotations

import signal

from bed.checks import equal, require
from bed.machine import wait_for
from bed.stored import store
from case import case
from ground import SETTINGS, STATE, Ground, Site
from identity import FIRST_UID

MANY = 10_000
PEOPLE = [(f"person{n:05}@contoso.com", FIRST_UID + 7 * n) for n in range(MANY)]


def listed(site: Site, table: str) -> list[str]:
    """The names of ours that an enumeration gives."""
    lines = site.machine.must("getent", table).out.splitlines()
    return [name for name in (line.split(":")[0] for line in lines) if "@" in name or name.startswith("entra_")]


@case("P7", "10,000 people: one group holds them all, getent lists them with Enumerate=yes only, and each of them once")
def many_people(ground: Ground) -> str:
    with ground.fresh("listing", started=False, bare=True) as site:
        machine, names = site.machine, [name for name, _ in PEOPLE]
        machine.write(f"{STATE}/accounts", store(PEOPLE), 0o600)
        machine.must("chown", "-R", "entralogin:entralogin", STATE)
        site.service.start(60)
        wait_for(lambda: bool(machine.passwd(names[-1])), "the published accounts", 60)
        for table in ("passwd", "group"):
            equal(listed(site, table), [], f"listed in {table} by default")
        group = machine.must("getent", "group", "entra_users").out.strip().split(":")
        equal(group[3].split(","), names, "members of entra_users")
        equal(machine.must("id", "-Gn", names[-1]).out.split(), [names[-1], "entra_users"], "groups of the last one")
        machine.write(SETTINGS, "[Accounts]\nEnumerate=yes\n")
        site.service.signal(signal.SIGHUP)
        wait_for(lambda: bool(listed(site, "passwd")), "the enumeration to be on", 30)
        equal(listed(site, "passwd"), names, "listed in passwd")
        equal(sorted(listed(site, "group")), sorted([*names, "entra_users", "entra_admins"]), "listed in group")
        require(machine.must("getent", "passwd").out.startswith("root:"), "local people come first")
    return f"{MANY} members in one group of {sum(map(len, names)) + MANY} bytes"
