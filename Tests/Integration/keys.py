# SPDX-License-Identifier: Apache-2.0
"""P4 and P2: which keys sign certificates: rotated with overlap, retired, kept over a restart and an outage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bad_days import IN, row
from case import case, cases
from environment import KEYS, Environment, Host
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

DAY = 86_400


def trusted(host: Host) -> int:
    """How many different keys sshd trusts; a key from two sources has two lines."""
    lines = host.machine.read(KEYS).splitlines()
    return len({line.split()[1] for line in lines if line.strip() and not line.startswith("#")})


def days_pass(env: Environment, host: Host, days: float, wall: bool, keys: int) -> None:
    """Moves the clock, and waits until the daemon has fetched the keys again and sshd has `keys` of them. Before that, requests
    a fetch and waits for it: one that runs when the clock moves would time out."""
    def fetched() -> int:
        """How often both documents were fetched: one comes after the other, and the clock must not move between them."""
        paths = [r["path"] for r in host.requests("keys")]
        return min(sum(path.endswith("/discovery/v2.0/keys") for path in paths), paths.count("/common/discovery/keys"))

    host.tool("keys", "--refresh")
    before = fetched()
    host.pass_by(int(days * DAY), wall)
    host.tool("status")  # wakes the daemon, whose timer was set by the true clock
    wait_for(lambda: fetched() > before and trusted(host) == keys, f"{keys} keys in {KEYS}")
    host.tool("status")  # when this is answered, the daemon has processed the keys


@contextmanager
def keys_of_its_own(env: Environment) -> Iterator[None]:
    """Goes back to Entra's first key alone at the end of the block."""
    try:
        yield
    finally:
        env.azure.restore_keys()


def fresh_certificate(env: Environment, person: Person) -> Person:
    """The same person with a certificate signed by Entra's current key; other cases do not get it."""
    return env.testbed.person(env.key_of(person))


@case("P4", "Entra's keys rotated: the old and the new one count during the overlap, the retired one never again")
def rotation(env: Environment) -> str:
    page = row("Entra's keys are rotated at the moment of a sign-in")
    equal((page["Signed in within the hour"], page["Well again"]), (IN, "3600 s"), "the page")
    with keys_of_its_own(env), env.fresh("rotation") as host:
        before, other = env.newcomer(), env.newcomer()
        admitted(host.ssh(before, "true"))
        env.azure.rotate_keys()
        after = fresh_certificate(env, other)
        refused(host.ssh(after, "id"), page["New here"])  # sshd does not have the new key yet
        admitted(host.ssh(before, "true"))
        days_pass(env, host, 1 / 24, wall=False, keys=2)
        admitted(host.ssh(after, "id -un"), f"{after.login}\n")
        admitted(host.ssh(before, "true"))
        env.azure.retire_old_keys()
        days_pass(env, host, 0.5, wall=False, keys=2)
        admitted(host.ssh(before, "true"))  # the old key is missing, but was listed within the last day
        days_pass(env, host, 0.6, wall=False, keys=1)
        refused(host.ssh(before, "id"))
        admitted(host.ssh(after, "true"))
        host.service.stop()
        host.begin()
        refused(host.ssh(before, "id"))
        admitted(host.ssh(after, "true"))
    return "two keys, then one; the certificate of the retired one is refused, after a restart too"


@case("P4", "a certificate of a new key of Entra's: check-certificate fetches the keys early, but not often")
def early(env: Environment) -> str:
    with keys_of_its_own(env), env.fresh("early") as host:
        env.azure.rotate_keys()
        person = fresh_certificate(env, env.newcomer())
        assert person.certificate is not None
        host.machine.write("/tmp/certificate.pub", person.certificate.read_text())
        asked = host.count("keys")
        for _ in range(5):
            host.tool("check-certificate", "/tmp/certificate.pub")
        wait_for(lambda: trusted(host) == 2, "the new key in sshd's file")
        fetched = host.count("keys") - asked
        require(fetched <= 3, f"{fetched} requests for keys")  # the configuration, and the two key documents
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
    return f"{fetched} requests, then in"


KEY_FAULTS: tuple[tuple[str, Any], ...] = (("wrong-json", '{"keys": []}'), ("refuse", None), ("wrong-json", "["))


@cases("P4", "Entra silent, empty or broken while the daemon starts anew: the last good keys stay, and status says so",
       KEY_FAULTS, every=3)
def last_good(env: Environment, faults: Sequence[tuple[str, Any]]) -> str:
    with env.fresh("lastgood") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        content = host.machine.read(KEYS)
        for fault, value in faults:
            with env.azure.fault(fault, "keys", value):
                host.service.stop()
                host.begin()
                wait_for(lambda: fault_shown(host), f"the fault {fault} in status")
                equal(host.machine.read(KEYS), content, f"the keys under {fault} {value}")
                admitted(host.ssh(person, "true"))
                admitted(host.ssh(env.newcomer(), "true"))
                shown = str(json.loads(host.tool("status", "--json").out)["keys"]["lastError"])
    return shown


@case("P4", "answers that leave out the key that signs: it stays, over a restart too, and status counts")
def thin(env: Environment) -> str:
    page = row("Entra's answers leave out a key that signs")
    equal((page["Signed in within the hour"], page["New here"], page["Well again"]), (IN, IN, "at once"), "the page")
    require("`thin-keys keys`" in page["Fault"], page["Fault"])
    with keys_of_its_own(env), env.fresh("thin") as host:
        person = env.newcomer()
        with env.azure.fault("thin-keys", "keys"):
            for _ in range(2):
                days_pass(env, host, 1 / 24, wall=False, keys=2)  # the listed key, and the one that signs
                admitted(host.ssh(person, "true"))
            host.service.stop()
            host.begin()
            for one in (person, env.newcomer()):
                admitted(host.ssh(one, "true"))
            days_pass(env, host, 1 / 24, wall=False, keys=2)
        days_pass(env, host, 1 / 24, wall=False, keys=2)
        wait_for(lambda: counted(host)[1] >= 2, "the key's return, in both documents, in status")
        # A new key that one document does not have yet: it is enough that the other has it.
        for document in ("tenant", "common"):
            env.azure.rotate_keys()
            after = fresh_certificate(env, env.newcomer())
            with env.azure.fault("thin-keys", "keys", document):
                days_pass(env, host, 1 / 24, wall=False, keys=trusted(host) + 1)
                admitted(host.ssh(after, "true"))
        return "vanished {}, returned {}".format(*counted(host))


def counted(host: Host) -> tuple[int, int]:
    keys = json.loads(host.tool("status", "--json").out)["keys"]
    return keys["vanished"], keys["returned"]


@case("P3", "keys --refresh: root has the keys fetched at once; nobody else has anything fetched")
def refresh(env: Environment) -> str:
    with keys_of_its_own(env), env.fresh("refresh") as host:
        env.azure.rotate_keys()
        person = fresh_certificate(env, env.newcomer())
        refused(host.ssh(person, "id"))
        asked = host.count("keys")
        for user in ("nobody", "entralogin"):
            outcome = host.machine.run("/usr/bin/entraloginctl", "keys", "--refresh", user=user)
            require(not outcome.ok, f"{user} may have keys fetched: {outcome.text}")
        equal(host.count("keys"), asked, "requests for keys that somebody else caused")
        outcome = host.tool("keys", "--refresh")
        require(outcome.ok, outcome.text)
        wait_for(lambda: trusted(host) == 2, "the new key in sshd's file")
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        with env.azure.fault("refuse", "keys"):
            outcome = host.tool("keys", "--refresh")
            equal(outcome.status, 1, outcome.text)
            require("Not fetched: jwks: " in outcome.text, outcome.text)
        equal(trusted(host), 2, "the last good keys")
    return "two keys, at once"


def fault_shown(host: Host) -> bool:
    status = host.tool("status", "--json").out
    return bool(status) and bool(json.loads(status)["keys"].get("lastError"))
