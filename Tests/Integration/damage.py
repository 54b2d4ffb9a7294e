# SPDX-License-Identifier: Apache-2.0
"""P13, P14 and P5: with a disk that cannot be written, or published files that are torn or changed, nobody gets in wrongly."""

from __future__ import annotations

import random

from case import case
from credentials import MARK, shut_out
from environment import STATE, Environment, Host
from identity import FIRST_UID
from roles import ADMINS, administrator, session_around
from testbed import Person
from testbed.asking import asker
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

ACCOUNTS = f"{STATE}/nss/accounts.snapshot"
GRANTS = "/run/entralogin/nss/grants.snapshot"
ADMINS_GID = FIRST_UID - 1023
CHANGES = 2000


def read_only(host: Host) -> None:
    """Puts the state folder on a read-only file system of its own."""
    script = (f"mkdir /tmp/kept && cp -a {STATE}/. /tmp/kept/ && mount -t tmpfs -o mode=755 kept {STATE} && "
              f"cp -a /tmp/kept/. {STATE}/ && chown --reference=/tmp/kept {STATE} && mount -o remount,ro {STATE}")
    outcome = host.machine.shell(script)
    require(outcome.ok and not host.machine.run("touch", f"{STATE}/probe").ok, f"it can be written: {outcome.text}")


@case("P14", "a state folder that can only be read: who is enrolled gets in, a first sign-in is refused and explained")
def read_only_disk(env: Environment) -> str:
    with env.fresh("readonly") as host:
        known, unknown = env.newcomer(), env.newcomer()
        admitted(host.ssh(known, "true"))
        uid = host.machine.uid(known.login)
        for again in (False, True):
            if again:
                host.service.stop()
                host.begin()
                host.stamped()
            else:
                read_only(host)
            admitted(host.ssh(known, "id -u"), f"{uid}\n")
            mark = host.journal.mark()
            shut_out(host.ssh(unknown, f"echo {MARK}"))
            record = host.journal.wait(mark, user=unknown.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "enrolment-failed", "reason")
            require(any("EROFS" in v or "read-only" in v.lower() for v in record.values()), f"why? {record}")
            require(not host.enrolled(unknown.login), "enrolled")
            require(env.lisa.ssh("true", port=host.port).ok, "lisa is kept out")
        host.machine.must("mount", "-o", "remount,rw", STATE)
        admitted(host.ssh(unknown, "id -un"), f"{unknown.login}\n")
        admitted(host.ssh(known, "id -u"), f"{uid}\n")
    return record["ENTRALOGIN_DETAIL"]


def damaged(content: bytes, seed: int) -> list[bytes]:
    """The content in damaged forms: cut at random lengths, extended, doubled, zeroed, with halves swapped, or bits flipped."""
    dice = random.Random(seed)
    made = [b"", content[:7], content[:64], content[:-1], content + b"\0", content * 2, bytes(len(content)),
            content[len(content) // 2:] + content[:len(content) // 2]]
    made += [content[:dice.randrange(len(content))] for _ in range(CHANGES // 4)]
    while len(made) < CHANGES:
        changed = bytearray(content)
        for _ in range(dice.choice((1, 1, 1, 2, 8))):
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        made.append(bytes(changed))
    return made


@case("P13", "a torn or bit-flipped snapshot: every name has its own number or none, and a sign-in the same as before")
def snapshot(env: Environment) -> str:
    with env.fresh("snapshot") as host:
        people = [env.newcomer() for _ in range(3)]
        for person in people:
            admitted(host.ssh(person, "true"))
        uids = {p.login: host.machine.uid(p.login) for p in people}
        questions = [q for name, uid in uids.items() for q in (f"name {name}", f"uid {uid}")]
        right: list[tuple[int, ...]] = [(uid,) for uid in uids.values() for _ in range(2)]
        path = host.machine.path(ACCOUNTS)
        content = path.read_bytes()
        hidden = signed_in = 0
        with asker(host.machine, env.testbed.scratch / "programs", user="daemon") as ask:
            equal([a.ids for a in ask(questions)], right, "answers before")
            for number, changed in enumerate(damaged(content, 13)):
                path.write_bytes(changed)
                seen = [a.ids for a in ask(questions)]
                wrong = [(q, s) for q, s, r in zip(questions, seen, right, strict=True) if s not in ((), r)]
                equal(wrong, [], f"answers under damage {number}")
                hidden += () in seen
                if number % (CHANGES // 8) == 0:
                    signed_in += unchanged_sign_in(host, people[number % 3], uids)
        require(hidden > CHANGES // 3, f"only {hidden} of the changes were noticed: nothing was tried")
        path.write_bytes(content)
        recovered(env, host, people, uids)
    return f"{CHANGES} damaged files, {hidden} refused by the reader; {signed_in} of 8 sign-ins, all as before"


def unchanged_sign_in(host: Host, person: Person, uids: dict[str, int]) -> bool:
    """Requires that the person is refused, or signs in with their own uid."""
    outcome = host.ssh(person, "id -u")
    if outcome.ok:
        equal(outcome.out, f"{uids[person.login]}\n", f"{person.login}'s number")
    return outcome.ok


def recovered(env: Environment, host: Host, people: list[Person], uids: dict[str, int]) -> None:
    """Requires that the daemon makes a damaged published file again from the store at its start, with the same uids."""
    host.service.stop()
    host.machine.path(ACCOUNTS).write_bytes(b"damaged")
    host.begin()
    for person in people:
        admitted(host.ssh(person, "id -u"), f"{uids[person.login]}\n")
    newcomer = env.newcomer()
    uid = int(admitted(host.ssh(newcomer, "id -u")))
    require(uid not in uids.values(), "a newcomer got somebody's number")


@case("P13", "a torn or bit-flipped file of grants makes nobody an administrator")
def grants(env: Environment) -> str:
    with env.fresh("grants") as host:
        holder, person = administrator(env), env.newcomer()
        admitted(host.ssh(person, "true"))
        questions = [f"groups {person.login}", f"groups {holder.login}"]

        def between() -> None:
            lost = 0
            path = host.machine.path(GRANTS)
            content = path.read_bytes()
            require(ADMINS in host.machine.must("id", "-Gn", holder.login).out, "no grant is published")
            with asker(host.machine, env.testbed.scratch / "programs", user="daemon") as ask:
                for number, changed in enumerate(damaged(content, 14)):
                    path.write_bytes(changed)
                    mine, theirs = ask(questions)
                    require(ADMINS_GID not in mine.ids, f"damage {number} makes {person.login} administrator")
                    lost += ADMINS_GID not in theirs.ids
            require(lost > CHANGES // 3, f"only {lost} of the changes were noticed: nothing was tried")
            outcome = host.ssh(person, "sudo -n id -u")
            require(not outcome.ok and "0" not in outcome.lines(), f"sudo works: {outcome.text}")
            path.write_bytes(content)

        session_around(env, host, holder, "true", between, "true")
        wait_for(lambda: ADMINS not in host.machine.must("id", "-Gn", holder.login).out, "the grant's end")
    return f"{CHANGES} damaged files"
