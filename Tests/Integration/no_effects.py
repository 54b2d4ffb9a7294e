# SPDX-License-Identifier: Apache-2.0
"""P3: before authentication there are no effects, however often a client asks and whatever it sends."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from concurrent.futures import wait

from case import case
from environment import Environment, Host
from roles import ADMINS, administrator, session_around
from simulator import contoso
from testbed import Person
from testbed.asking import ask
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

HELPER = "/usr/libexec/entralogin/authorized-principals"
KIND = "ssh-rsa-cert-v01@openssh.com"
GROWTH_KIB = 2048  # the most that the daemon's resident memory may grow from the first run to the second


def unchanged(env: Environment, act: Callable[[Host], None]) -> str:
    """Runs `act` twice on a machine with one user, and requires that the state folder and the number of role questions stay the
    same, and that the second run adds hardly any memory. The user is no administrator: the daemon would ask about one."""
    with env.fresh("unchanged") as host:
        admitted(host.ssh(env.newcomer(), "true"))
        host.all_answered()
        before, asked = host.rest(), host.questions()
        act(host)
        first = host.service.resident_kibibytes()
        act(host)
        second = host.service.resident_kibibytes()
        equal(host.state(), before, "the state folder")
        equal(host.questions(), asked, "questions about roles")
    require(second - first < GROWTH_KIB, f"the daemon grew from {first} KiB to {second} KiB")
    return f"{first} KiB, then {second} KiB; state byte-identical, no question to PAS or ARM"


def random_names(count: int, seed: int) -> list[str]:
    letters = random.Random(seed)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

    def word(least: int, most: int) -> str:
        return "".join(letters.choice(alphabet) for _ in range(letters.randint(least, most)))

    return [f"{word(1, 40)}@{word(1, 20)}.{word(2, 6)}" for _ in range(count)]


def names(env: Environment, count: int) -> str:
    rounds = iter((1, 2))

    def act(host: Host) -> None:
        found = random_names(count // 2, next(rounds))
        answers = ask(host.machine, env.testbed.scratch / "programs", (f"name {name}" for name in found))
        require(sum(bool(a.ids) for a in answers) > count // 4, "hardly any name was answered: nothing was tried")

    return unchanged(env, act)


@case("P3", "1,000 random names looked up as sshd does it have no effect")
def thousand_names(env: Environment) -> str:
    return names(env, 1000)


@case("P3", "10,000 random names looked up as sshd does it have no effect", deep=True)
def many_names(env: Environment) -> str:
    return names(env, 10_000)


@case("P3", "30 strangers at sshd's door have no effect")
def strangers(env: Environment) -> str:
    def act(host: Host) -> None:
        people = [Person(name, env.lisa.folder, env.lisa.identity) for name in random_names(15, 3)]
        knocking = [env.aside(host.ssh, person, "id") for person in people]
        wait(knocking)
        for knock in knocking:
            refused(knock.result())

    return unchanged(env, act)


def hostile_certificates(env: Environment) -> list[tuple[str, str]]:
    """Names with certificates that are expired, from another tenant or CA, misnamed, incomplete or damaged, or are none."""
    testbed = env.testbed
    forged = [
        testbed.forged("erin", shift=-7200), testbed.forged("erin", stranger=True),
        testbed.forged("dave", tenant_id=contoso.OTHER_TENANT), testbed.forged("erin", principals=("bob@contoso.com",)),
        testbed.forged("erin", principals=()), testbed.forged("erin", omitted=frozenset({"oid"})),
        testbed.forged("erin", critical_options={"force-command": "id"}), testbed.forged("erin", key_id="x@y"),
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


def helper_calls(env: Environment, count: int) -> str:
    calls = hostile_certificates(env)

    def act(host: Host) -> None:
        printed = host.machine.inside(lambda: call_helper(calls, 1 + count // 2 // len(calls)), "entralogin-ssh", 300)
        equal(printed, [], "what the helper printed")

    return unchanged(env, act)


@case("P3", "1,000 helper calls with hostile certificates print nothing and have no effect")
def thousand_calls(env: Environment) -> str:
    return helper_calls(env, 1000)


@case("P3", "10,000 helper calls with hostile certificates print nothing and have no effect", deep=True)
def many_calls(env: Environment) -> str:
    return helper_calls(env, 10_000)


@case("P3", "a good certificate without its key has no effect but a remembered process, and Azure is asked nothing",
      attack="W4")
def without_the_key(env: Environment) -> str:
    known, unknown = administrator(env), env.newcomer()
    with env.fresh("keyless") as host:
        without_key(env, host, known, unknown)
    return "refused twice, no question, the grant as before"


def without_key(env: Environment, host: Host, known: Person, unknown: Person) -> None:
    def is_granted() -> bool:
        return ADMINS in host.machine.must("id", "-Gn", known.login).out.split()

    def act() -> None:
        require(is_granted(), "no grant: nothing would be tried")
        # The role is gone by now, but a client with only the certificates must not make the daemon notice.
        env.withdraw(known)
        host.flush()
        host.all_answered()
        before, asked = host.state(), host.questions()
        for person in (known, unknown):
            mark = host.journal.mark()
            refused(host.ssh(Person(person.login, env.lisa.folder, env.lisa.identity, person.certificate), "id"))
            host.journal.wait(mark, event="certificate", user=person.login, decision="allow")
        host.tool("status")
        equal(host.questions(), asked, "questions about roles")
        equal(host.state(), before, "the state folder")
        require(not host.enrolled(unknown.login), "enrolled")
        require(is_granted(), "the grant ended")
        # The control: after the client has proved its key, Azure is asked, and the grant ends.
        refused(host.ssh(known, "id"), contoso.USER)
        require(host.questions() > asked, "no question")
        wait_for(lambda: not is_granted(), "the end of the grant")

    session_around(env, host, known, "true", act, "true")
