# SPDX-License-Identifier: Apache-2.0
"""P14: an enrolment is on disk before the session opens; kill -9 at any moment leaves a complete table."""

from __future__ import annotations

import random
import time
from concurrent.futures import wait

from bed.checks import admitted, equal, require
from case import case
from ground import STATE, Ground, Site


def survivors(ground: Ground, site: Site, rounds: int, seed: int, usual: float) -> tuple[dict[str, str], int]:
    """Kills the daemon while new users sign in, which takes about `usual` seconds here; returns the uid of each user who got a
    session, and how many did not."""
    moments = random.Random(seed)
    uids: dict[str, str] = {}
    refused = 0
    for _ in range(rounds):
        people = [ground.newcomer() for _ in range(2)]
        attempts = {p.login: ground.aside(site.ssh, p, "id -u") for p in people}
        time.sleep(usual * moments.uniform(0.2, 1.5))
        site.service.kill()
        wait(attempts.values())
        site.begin()
        for name, attempt in attempts.items():
            if attempt.result().ok:
                uids[name] = attempt.result().out.strip()
            else:
                refused += 1
        for name, uid in uids.items():
            equal(site.machine.passwd(name)[2:3], [uid], f"{name} after kill -9")
        status = site.tool("status")
        require("unreadable" not in status.text, f"after kill -9: {status.text}")
    return uids, refused


def killed_in_a_loop(ground: Ground, rounds: int) -> str:
    with ground.fresh("loop") as site:
        first = site.ssh(ground.newcomer(), "true")
        admitted(first)
        uids, refused = survivors(ground, site, rounds, seed=14, usual=first.milliseconds / 1000)
        everybody = site.machine.must("getent", "passwd", *uids).out.split() if uids else []
        equal(len({line.split(":")[2] for line in everybody if ":x:" in line or ":*:" in line}) or len(uids),
              len(uids), "different numbers")
        admitted(site.ssh(ground.newcomer(), "true"))
        left = [p.name for p in site.machine.path(STATE).iterdir() if ".tmp" in p.name or "-new" in p.name]
        require(len(left) < 3, f"leftovers: {left}")
    return f"{rounds} kills: {len(uids)} got in and kept their number, {refused} were refused"


@case("P14", "kill -9 during enrolments: every user who got a session is enrolled with that number")
def killed(ground: Ground) -> str:
    return killed_in_a_loop(ground, 5)


@case("P14", "kill -9 during enrolments, forty times", deep=True)
def killed_often(ground: Ground) -> str:
    return killed_in_a_loop(ground, 40)


@case("P14", "the account is on disk when the session opens: kill -9 right after the first command")
def on_disk(ground: Ground) -> str:
    with ground.fresh("disk") as site:
        person = ground.newcomer()
        uid = admitted(site.ssh(person, "id -u")).strip()
        site.service.kill()
        equal(site.machine.passwd(person.login)[2:3], [uid], "from the published file")
        require(person.login in site.machine.read(f"{STATE}/accounts"), "the store does not name them")
        site.machine.remove(f"{STATE}/nss/accounts.snapshot")
        site.begin()
        equal(site.machine.passwd(person.login)[2:3], [uid], "published again from the store")
        admitted(site.ssh(person, "id -u"), f"{uid}\n")
    return "there before and after, and the published file is made again from the store"
