# SPDX-License-Identifier: Apache-2.0
"""P3: before authentication there are no effects, however often a client asks and whatever it sends."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from concurrent.futures import wait

from bed import Person
from bed.asking import ask
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from case import case
from ground import Ground, Site
from roles import ADMINS, administrator, session_around
from simulator import contoso

HELPER = "/usr/libexec/entralogin/authorized-principals"
KIND = "ssh-rsa-cert-v01@openssh.com"
GROWTH_KIB = 2048  # the most that the daemon's resident memory may grow from the first run to the second


def unchanged(ground: Ground, act: Callable[[Site], None]) -> str:
    """Runs `act` twice on a machine with one user, and requires that the state folder and the number of role questions stay the
    same, and that the second run adds no memory. On a machine with administrators the daemon would ask about them meanwhile."""
    with ground.fresh("unchanged") as site:
        admitted(site.ssh(ground.newcomer(), "true"))
        site.all_answered()
        before, asked = site.rest(), site.questions()
        act(site)
        first = site.service.resident_kibibytes()
        act(site)
        second = site.service.resident_kibibytes()
        equal(site.state(), before, "the state folder")
        equal(site.questions(), asked, "questions about roles")
    require(second - first < GROWTH_KIB, f"the daemon grew from {first} KiB to {second} KiB")
    return f"{first} KiB, then {second} KiB; state byte-identical, no question to PAS or ARM"


def random_names(count: int, seed: int) -> list[str]:
    letters = random.Random(seed)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

    def word(least: int, most: int) -> str:
        return "".join(letters.choice(alphabet) for _ in range(letters.randint(least, most)))

    return [f"{word(1, 40)}@{word(1, 20)}.{word(2, 6)}" for _ in range(count)]


def names(ground: Ground, count: int) -> str:
    rounds = iter((1, 2))

    def act(site: Site) -> None:
        found = random_names(count // 2, next(rounds))
        answers = ask(site.machine, ground.bed.scratch / "programs", (f"name {name}" for name in found))
        require(sum(bool(a.ids) for a in answers) > count // 4, "hardly any name was answered: nothing was tried")

    return unchanged(ground, act)


@case("P3", "1,000 random names looked up as sshd does it have no effect")
def thousand_names(ground: Ground) -> str:
    return names(ground, 1000)


@case("P3", "10,000 random names looked up as sshd does it have no effect", deep=True)
def many_names(ground: Ground) -> str:
    return names(ground, 10_000)


@case("P3", "30 strangers at sshd's door have no effect")
def strangers(ground: Ground) -> str:
    def act(site: Site) -> None:
        people = [Person(name, ground.lisa.folder, ground.lisa.identity) for name in random_names(15, 3)]
        knocking = [ground.aside(site.ssh, person, "id") for person in people]
        wait(knocking)
        for knock in knocking:
            refused(knock.result())

    return unchanged(ground, act)


def hostile_certificates(ground: Ground) -> list[tuple[str, str]]:
    """Names with certificates that are expired, of another tenant or CA, misnamed, truncated, doubled or no certificates."""
    bed = ground.bed
    forged = [
        bed.forged("erin", shift=-7200), bed.forged("erin", stranger=True),
        bed.forged("dave", tenant_id=contoso.OTHER_TENANT), bed.forged("erin", principals=("bob@contoso.com",)),
        bed.forged("erin", principals=()), bed.forged("erin", omitted=frozenset({"oid"})),
        bed.forged("erin", critical_options={"force-command": "id"}), bed.forged("erin", key_id="x@y"),
    ]
    pairs = []
    for person in forged:
        assert person.certificate is not None
        body = person.certificate.read_text().split()[1]
        pairs += [(person.login, body), (person.login, body[:-4]), (person.login, body[:400]),
                  (person.login, body[:300] + "AAAA" + body[304:]), (person.login, body + "AAAA")]
    return [*pairs, ("alice@contoso.com", ""), ("alice@contoso.com", "AAAA"), ("alice@contoso.com", "A" * 100_000),
            ("\x7f\n", "=" * 400)]


def call_helper(calls: list[tuple[str, str]], repeats: int) -> list[str]:
    """Runs the real helper as sshd does; returns what it printed."""
    printed = []
    for _ in range(repeats):
        for user, body in calls:
            done = subprocess.run([HELPER, user, "1900000000", f"/home/{user}", KIND, body], capture_output=True,
                                  text=True, errors="replace", env={"PATH": "/usr/bin"}, check=False)
            if done.stdout:
                printed.append(f"{user}: {done.stdout}")
    return printed


def helper_calls(ground: Ground, count: int) -> str:
    calls = hostile_certificates(ground)

    def act(site: Site) -> None:
        printed = site.machine.inside(lambda: call_helper(calls, 1 + count // 2 // len(calls)), "entralogin-ssh", 300)
        equal(printed, [], "what the helper printed")

    return unchanged(ground, act)


@case("P3", "1,000 helper calls with hostile certificates print nothing and have no effect")
def thousand_calls(ground: Ground) -> str:
    return helper_calls(ground, 1000)


@case("P3", "10,000 helper calls with hostile certificates print nothing and have no effect", deep=True)
def many_calls(ground: Ground) -> str:
    return helper_calls(ground, 10_000)


@case("P3", "a good certificate without its key has no effect but a remembered process, and Azure is asked nothing",
      attack="W4")
def without_the_key(ground: Ground) -> str:
    known, unknown = administrator(ground), ground.newcomer()
    with ground.fresh("keyless") as site:
        without_key(ground, site, known, unknown)
    return "refused twice, no question, the grant as before"


def without_key(ground: Ground, site: Site, known: Person, unknown: Person) -> None:
    def is_granted() -> bool:
        return ADMINS in site.machine.must("id", "-Gn", known.login).out.split()

    def act() -> None:
        require(is_granted(), "no grant: nothing would be tried")
        # The role is gone by now, but a client with only the certificates must not make the daemon notice.
        ground.withdraw(known)
        site.flush()
        site.all_answered()
        before, asked = site.state(), site.questions()
        for person in (known, unknown):
            mark = site.journal.mark()
            refused(site.ssh(Person(person.login, ground.lisa.folder, ground.lisa.identity, person.certificate), "id"))
            site.journal.wait(mark, event="certificate", user=person.login, decision="allow")
        site.tool("status")
        equal(site.questions(), asked, "questions about roles")
        equal(site.state(), before, "the state folder")
        require(not site.enrolled(unknown.login), "enrolled")
        require(is_granted(), "the grant ended")
        # The control: after the client has proved its key, Azure is asked, and the grant ends.
        refused(site.ssh(known, "id"), contoso.USER)
        require(site.questions() > asked, "no question")
        wait_for(lambda: not is_granted(), "the end of the grant")

    session_around(ground, site, known, "true", act, "true")
