# SPDX-License-Identifier: Apache-2.0
"""Many accounts through the real glibc: which are listed, and who is a member of their groups."""

from __future__ import annotations

import os
import signal

from case import case
from environment import SETTINGS, STATE, Environment, Host
from identity import FIRST_UID
from roles import administrator
from testbed import Person
from testbed.checks import equal, require
from testbed.machine import wait_for
from testbed.stored import store

MANY = 10_000
USERS_GID = FIRST_UID - 1024
PEOPLE = [(f"person{n:05}@contoso.com", FIRST_UID + 7 * n) for n in range(MANY)]


def listed(host: Host, table: str) -> list[str]:
    """entralogin's names in an enumeration."""
    lines = host.machine.must("getent", table).out.splitlines()
    return [name for name in (line.split(":")[0] for line in lines) if "@" in name or name.startswith("entra_")]


@case("P7", "10,000 people: their group names none of them, getent lists them with Enumerate=yes only, and each of them once")
def many_people(env: Environment) -> str:
    with env.fresh("listing", started=False, bare=True) as host:
        machine, names = host.machine, [name for name, _ in PEOPLE]
        machine.write(f"{STATE}/accounts", store(PEOPLE), 0o600)
        machine.must("chown", "-R", "entralogin:entralogin", STATE)
        host.service.start(60)
        wait_for(lambda: bool(machine.passwd(names[-1])), "the published accounts", 60)
        for table in ("passwd", "group"):
            equal(listed(host, table), [], f"listed in {table} by default")
        for group, gid in (("entra_users", USERS_GID), ("entra_admins", USERS_GID + 1)):
            for key in (group, str(gid)):
                equal(machine.must("getent", "group", key).out, f"{group}:*:{gid}:\n", f"the group {key}")
        equal(machine.must("id", "-Gn", names[-1]).out.split(), [names[-1], "entra_users"], "groups of the last one")
        machine.write(SETTINGS, "[Accounts]\nEnumerate=yes\n")
        host.service.signal(signal.SIGHUP)
        wait_for(lambda: bool(listed(host, "passwd")), "the enumeration to be on", 30)
        equal(listed(host, "passwd"), names, "listed in passwd")
        equal(sorted(listed(host, "group")), sorted([*names, "entra_users", "entra_admins"]), "listed in group")
        require(machine.must("getent", "passwd").out.startswith("root:"), "local people come first")
    return f"{MANY} members, and a group of {len('entra_users')} bytes"


@case("P7", "newgrp, sg and chgrp: the shared groups are a member's to use, and nobody else's; Debian 13's newgrp asks the list")
def by_the_process(env: Environment) -> str:
    with env.fresh("newgrp") as host:
        script = ("for g in entra_users entra_admins; do sg $g -c 'id -gn' </dev/null 2>/dev/null; "
                  "touch /tmp/$$.$g; chgrp $g /tmp/$$.$g 2>/dev/null && stat -c %G /tmp/$$.$g; "
                  "echo 'id -gn' | newgrp $g 2>/dev/null; done")

        def seen(who: Person) -> list[str]:
            return [line for line in host.ssh(who, script).out.replace("Password: ", "\n").split("\n") if line]

        # Programs that go by the list of members ask for a group password, which no group has.
        times = 3 if os.environ["TESTBED_SUITE"] == "bookworm" else 1
        equal(seen(administrator(env)), ["entra_users"] * times + ["entra_admins"] * times, "an administrator's")
        equal(seen(env.newcomer()), ["entra_users"] * times, "a user's")
        equal(seen(env.lisa), [], "a local user's")
    return "an administrator both, a user one, a local user none"
