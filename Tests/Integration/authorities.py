# SPDX-License-Identifier: Apache-2.0
"""P11: whatever an attacker puts in place of the daemon's files, sshd and root's programs do not hang, nor read without end."""

from __future__ import annotations

import json
from pathlib import Path

from case import case
from environment import KEYS, STATE, Environment, Host
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

SOURCE = f"{STATE}/ssh/trusted_user_ca_keys"
POSTRM = Path(__file__).resolve().parents[2] / "packaging/debian/entralogin.postrm"
# Each puts at $1 what a careless program would wait for or read for ever, or a folder, or nothing at all.
TRAPS = {
    "a FIFO": "mkfifo $1", "a link to /dev/zero": "ln -s /dev/zero $1", "3 GB of nothing": "truncate -s 3G $1",
    "a link to a FIFO": "mkfifo $1.fifo && ln -s $1.fifo $1", "a folder": "mkdir $1", "nothing": "true",
}


def trap(host: Host, path: str, how: str) -> None:
    """Sets the trap as the daemon's user, as an attacker with the daemon's rights can."""
    outcome = host.machine.run("sh", "-c", f"rm -rf $1 $1.fifo && {how}", "sh", path, user="entralogin")
    require(outcome.ok, f"{how}: {outcome.text}")


def finding(host: Host) -> tuple[str, str]:
    """Severity and text of doctor's finding about sshd's keys."""
    found = next(f for f in json.loads(host.tool("--json", "doctor").out)["findings"] if f["id"] == "keys.copy")
    return found["severity"], found["found"]


@case("P11", "whatever the daemon's owner puts in place of the CA keys, sshd has the last good ones, and nobody waits",
      attack="H7")
def traps(env: Environment) -> str:
    with env.fresh("authorities") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        good = host.machine.read(KEYS)
        equal(finding(host)[0], "good", "doctor before")
        for name, how in TRAPS.items():
            trap(host, SOURCE, how)
            published = host.machine.run("/usr/bin/entraloginctl", "keys", "--publish", timeout=20)
            equal(published.status, 1, f"{name}: {published.text}")
            require("sshd keeps the CA keys that it has" in published.err, published.text)
            equal(host.machine.read(KEYS), good, f"sshd's keys with {name} in place of the daemon's")
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
            equal(finding(host)[0], "note" if name == "nothing" else "error", f"doctor, {name}")
        trap(host, SOURCE, "printf 'ssh-rsa AAAA\\n' >$1")
        equal(host.machine.run("/usr/bin/entraloginctl", "keys", "--publish").status, 1, "a line that is no key")
        equal(host.machine.read(KEYS), good, "sshd's keys")
        # The daemon's next start fixes it: it fetches the keys again.
        host.service.restart()
        wait_for(lambda: finding(host)[0] == "good", "the daemon's own keys again")
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
    return ", ".join(TRAPS)


@case("P11", "a purge reads what the daemon left without waiting and not to an end, and keeps accounts where there are any",
      attack="H7")
def purge(env: Environment) -> str:
    with env.fresh("purged", started=False) as host:
        accounts = f"{STATE}/accounts"
        host.machine.write("/tmp/postrm", POSTRM.read_text(), 0o755)

        def purged() -> bool:
            """Runs the purge; returns whether the account store stays."""
            outcome = host.machine.run("/tmp/postrm", "purge", timeout=30)
            require(outcome.ok, outcome.text)
            stays = host.machine.path(accounts).exists()
            host.machine.must("install", "-d", "-o", "entralogin", "-g", "entralogin", STATE)
            return stays

        for name, how in TRAPS.items():
            trap(host, accounts, how)
            require(not purged(), f"{name} stays")
        trap(host, accounts, "printf 'head\\naccount x\\n' >$1")
        require(purged(), "accounts are gone")
        require(not host.machine.path("/var/lib/entralogin-sshd").exists(), "sshd's keys stay")
    return "accounts stay where there are any"
