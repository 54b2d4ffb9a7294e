# SPDX-License-Identifier: Apache-2.0
"""P14: an enrolment is on disk before the session opens; kill -9 at any moment leaves a complete table."""

from __future__ import annotations

import random
import time
from concurrent.futures import wait

from case import case
from environment import STATE, Environment, Host
from testbed.checks import admitted, equal, require


def survivors(env: Environment, host: Host, rounds: int, seed: int, usual: float) -> tuple[dict[str, str], int]:
    """Kills the daemon while new users sign in, which takes about `usual` seconds here; returns the uid of each user who got a
    session, and how many did not."""
    moments = random.Random(seed)
    uids: dict[str, str] = {}
    refused = 0
    for _ in range(rounds):
        people = [env.newcomer() for _ in range(2)]
        attempts = {p.login: env.aside(host.ssh, p, "id -u") for p in people}
        time.sleep(usual * moments.uniform(0.2, 1.5))
        host.service.kill()
        wait(attempts.values())
        host.begin()
        for name, attempt in attempts.items():
            if attempt.result().ok:
                uids[name] = attempt.result().out.strip()
            else:
                refused += 1
        for name, uid in uids.items():
            equal(host.machine.passwd(name)[2:3], [uid], f"{name} after kill -9")
        status = host.tool("status")
        require("unreadable" not in status.text, f"after kill -9: {status.text}")
    return uids, refused


def killed_in_a_loop(env: Environment, rounds: int) -> str:
    with env.fresh("loop") as host:
        first = host.ssh(env.newcomer(), "true")
        admitted(first)
        uids, refused = survivors(env, host, rounds, seed=14, usual=first.milliseconds / 1000)
        records = host.machine.must("getent", "passwd", *uids).lines() if uids else []
        equal(len({record.split(":")[2] for record in records}), len(uids), "different numbers")
        admitted(host.ssh(env.newcomer(), "true"))
        left = [p.name for p in host.machine.path(STATE).iterdir() if ".tmp" in p.name or "-new" in p.name]
        require(len(left) < 3, f"leftovers: {left}")
    return f"{rounds} kills: {len(uids)} got in and kept their number, {refused} were refused"


@case("P14", "kill -9 during enrolments: every user who got a session is enrolled with that number")
def killed(env: Environment) -> str:
    return killed_in_a_loop(env, 5)


@case("P14", "kill -9 during enrolments, forty times", deep=True)
def killed_often(env: Environment) -> str:
    return killed_in_a_loop(env, 40)


@case("P14", "the account is on disk when the session opens: kill -9 right after the first command")
def on_disk(env: Environment) -> str:
    with env.fresh("disk") as host:
        person = env.newcomer()
        uid = admitted(host.ssh(person, "id -u")).strip()
        host.service.kill()
        equal(host.machine.passwd(person.login)[2:3], [uid], "from the published file")
        require(person.login in host.machine.read(f"{STATE}/accounts"), "the store does not name them")
        host.machine.remove(f"{STATE}/nss/accounts.snapshot")
        host.begin()
        equal(host.machine.passwd(person.login)[2:3], [uid], "published again from the store")
        admitted(host.ssh(person, "id -u"), f"{uid}\n")
    return "there before and after, and the published file is made again from the store"
