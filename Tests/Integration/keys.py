# SPDX-License-Identifier: Apache-2.0
"""P4 and P2: which keys sign certificates: rotated with overlap, retired, kept over a restart and an outage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bad_days import IN, row
from bed import Person
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from case import case, cases
from ground import KEYS, Ground, Site

DAY = 86_400


def trusted(site: Site) -> int:
    """How many different keys sshd trusts; a key from two sources has two lines."""
    lines = site.machine.read(KEYS).splitlines()
    return len({line.split()[1] for line in lines if line.strip() and not line.startswith("#")})


def days_pass(ground: Ground, site: Site, days: float, wall: bool, keys: int) -> None:
    """Moves the clock, and waits until the daemon has fetched the keys again and sshd has `keys` of them. Before that, requests
    a fetch and waits for it: one that runs when the clock moves would time out."""
    def fetched() -> int:
        """How often both documents were fetched: one comes after the other, and the clock must not move between them."""
        paths = [r["path"] for r in site.requests("keys")]
        return min(sum(path.endswith("/discovery/v2.0/keys") for path in paths), paths.count("/common/discovery/keys"))

    site.tool("keys", "--refresh")
    before = fetched()
    site.pass_by(int(days * DAY), wall)
    site.tool("status")  # wakes the daemon, whose timer was set by the true clock
    wait_for(lambda: fetched() > before and trusted(site) == keys, f"{keys} keys in {KEYS}")
    site.tool("status")  # when this is answered, the daemon has processed the keys


@contextmanager
def keys_of_its_own(ground: Ground) -> Iterator[None]:
    """Undoes at its end what a case does to Entra's keys, and forgets people who got certificates meanwhile."""
    try:
        yield
    finally:
        ground.azure.restore_keys()


def fresh_certificate(ground: Ground, person: Person) -> Person:
    """The same person with a certificate by Entra's present key; not kept for other cases."""
    return ground.bed.person(ground.key_of(person))


@case("P4", "Entra's keys rotated: the old and the new one count during the overlap, the retired one never again")
def rotation(ground: Ground) -> str:
    page = row("Entra's keys are rotated at the moment of a sign-in")
    equal((page["Signed in within the hour"], page["Well again"]), (IN, "3600 s"), "the page")
    with keys_of_its_own(ground), ground.fresh("rotation") as site:
        before, other = ground.newcomer(), ground.newcomer()
        admitted(site.ssh(before, "true"))
        ground.azure.rotate_keys()
        after = fresh_certificate(ground, other)
        refused(site.ssh(after, "id"), page["New here"])  # sshd has not been told of the new key
        admitted(site.ssh(before, "true"))
        days_pass(ground, site, 1 / 24, wall=False, keys=2)
        admitted(site.ssh(after, "id -un"), f"{after.login}\n")
        admitted(site.ssh(before, "true"))
        ground.azure.retire_old_keys()
        days_pass(ground, site, 0.5, wall=False, keys=2)
        admitted(site.ssh(before, "true"))  # missing, and within a day of when it was last listed
        days_pass(ground, site, 0.6, wall=False, keys=1)
        refused(site.ssh(before, "id"))
        admitted(site.ssh(after, "true"))
        site.service.stop()
        site.begin()
        refused(site.ssh(before, "id"))
        admitted(site.ssh(after, "true"))
    return "two keys, then one; the certificate of the retired one is refused, after a restart too"


@case("P4", "a certificate of a new key of Entra's: check-certificate fetches the keys early, but not often")
def early(ground: Ground) -> str:
    with keys_of_its_own(ground), ground.fresh("early") as site:
        ground.azure.rotate_keys()
        person = fresh_certificate(ground, ground.newcomer())
        assert person.certificate is not None
        site.machine.write("/tmp/certificate.pub", person.certificate.read_text())
        asked = site.count("keys")
        for _ in range(5):
            site.tool("check-certificate", "/tmp/certificate.pub")
        wait_for(lambda: trusted(site) == 2, "the new key in sshd's file")
        fetched = site.count("keys") - asked
        require(fetched <= 3, f"{fetched} requests for keys")  # the configuration, and the two key documents
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
    return f"{fetched} requests, then in"


KEY_FAULTS: tuple[tuple[str, Any], ...] = (("wrong-json", '{"keys": []}'), ("refuse", None), ("wrong-json", "["))


@cases("P4", "Entra silent, empty or broken while the daemon starts anew: the last good keys stay, and status says so",
       KEY_FAULTS, every=3)
def last_good(ground: Ground, faults: Sequence[tuple[str, Any]]) -> str:
    with ground.fresh("lastgood") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        content = site.machine.read(KEYS)
        for fault, value in faults:
            with ground.azure.fault(fault, "keys", value):
                site.service.stop()
                site.begin()
                wait_for(lambda: fault_shown(site), f"the fault {fault} in status")
                equal(site.machine.read(KEYS), content, f"the keys under {fault} {value}")
                admitted(site.ssh(person, "true"))
                admitted(site.ssh(ground.newcomer(), "true"))
                shown = str(json.loads(site.tool("status", "--json").out)["keys"]["lastError"])
    return shown


@case("P4", "answers that leave out the key that signs: it stays, over a restart too, and status counts")
def thin(ground: Ground) -> str:
    page = row("Entra's answers leave out a key that signs")
    equal((page["Signed in within the hour"], page["New here"], page["Well again"]), (IN, IN, "at once"), "the page")
    require("`thin-keys keys`" in page["Fault"], page["Fault"])
    with keys_of_its_own(ground), ground.fresh("thin") as site:
        person = ground.newcomer()
        with ground.azure.fault("thin-keys", "keys"):
            for _ in range(2):
                days_pass(ground, site, 1 / 24, wall=False, keys=2)  # what is listed, and what signs
                admitted(site.ssh(person, "true"))
            site.service.stop()
            site.begin()
            for one in (person, ground.newcomer()):
                admitted(site.ssh(one, "true"))
            days_pass(ground, site, 1 / 24, wall=False, keys=2)
        days_pass(ground, site, 1 / 24, wall=False, keys=2)
        wait_for(lambda: counted(site)[1] >= 2, "the key's return, in both documents, in status")
        # A new key that one document does not have yet: it is enough that the other has it.
        for document in ("tenant", "common"):
            ground.azure.rotate_keys()
            after = fresh_certificate(ground, ground.newcomer())
            with ground.azure.fault("thin-keys", "keys", document):
                days_pass(ground, site, 1 / 24, wall=False, keys=trusted(site) + 1)
                admitted(site.ssh(after, "true"))
        return "vanished {}, returned {}".format(*counted(site))


def counted(site: Site) -> tuple[int, int]:
    keys = json.loads(site.tool("status", "--json").out)["keys"]
    return keys["vanished"], keys["returned"]


@case("P3", "keys --refresh: root has the keys fetched at once; nobody else has anything fetched")
def refresh(ground: Ground) -> str:
    with keys_of_its_own(ground), ground.fresh("refresh") as site:
        ground.azure.rotate_keys()
        person = fresh_certificate(ground, ground.newcomer())
        refused(site.ssh(person, "id"))
        asked = site.count("keys")
        for user in ("nobody", "entralogin"):
            outcome = site.machine.run("/usr/bin/entraloginctl", "keys", "--refresh", user=user)
            require(not outcome.ok, f"{user} may have keys fetched: {outcome.text}")
        equal(site.count("keys"), asked, "requests for keys that somebody else caused")
        outcome = site.tool("keys", "--refresh")
        require(outcome.ok, outcome.text)
        wait_for(lambda: trusted(site) == 2, "the new key in sshd's file")
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
        with ground.azure.fault("refuse", "keys"):
            outcome = site.tool("keys", "--refresh")
            equal(outcome.status, 1, outcome.text)
            require("Not fetched: jwks: " in outcome.text, outcome.text)
        equal(trusted(site), 2, "the last good keys")
    return "two keys, at once"


def fault_shown(site: Site) -> bool:
    status = site.tool("status", "--json").out
    return bool(status) and bool(json.loads(status)["keys"].get("lastError"))
