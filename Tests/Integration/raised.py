# SPDX-License-Identifier: Apache-2.0
"""P1, P2 and P13: a role that Azure gives during a session counts in that session, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable

from case import case
from environment import Environment, Host
from roles import ADMINS, administrator, session_around
from simulator import contoso
from sudo_right import in_steps
from testbed import Person
from testbed.checks import equal, require
from testbed.machine import wait_for

SUDO = "sudo -n id -u"
NO_RIGHT = "a password is required"
A_MINUTE = 61  # a no is cached for 60 s
A_ROUND = 301  # more than the daemon waits between two rounds over administrators; a round over all users comes after 900 s


def given(env: Environment, host: Host, person: Person) -> Callable[[], None]:
    """Azure gives the administrator role, and a minute passes. The cache is not flushed."""
    def act() -> None:
        env.make_administrator(person)
        host.pass_by(A_MINUTE, wall=False)
    return act


def taken(env: Environment, host: Host, person: Person) -> Callable[[], None]:
    def act() -> None:
        env.withdraw(person, role=contoso.ADMINISTRATOR)
        host.pass_by(A_MINUTE, wall=False)
    return act


def records(host: Host, person: Person) -> list[dict[str, str]]:
    return host.journal.since(event="raised", user=person.login)


def questions(env: Environment, host: Host, person: Person) -> int:
    """How often the daemon asked Azure about the person, by its records. Waits for the first, which may follow the sign-in."""
    object_id = env.testbed.directory.principals[env.key_of(person)].object_id
    host.journal.wait(0, event="access-check", object_id=object_id)
    return len(host.journal.since(event="access-check", object_id=object_id))


@case("P1", "a role that Azure gives during a session: sudo works in it after a minute, without a new sign-in")
def raised_by_sudo(env: Environment) -> str:
    with env.fresh("raised") as host:
        person = env.newcomer()
        steps = [lambda: None, given(env, host, person), lambda: None]
        said = in_steps(env, host, person, steps, f"{SUDO}; id -G")
        require(NO_RIGHT in said[0] and "0" not in said[0].splitlines(), f"sudo before the role: {said[0]}")
        for words in said[1:]:
            equal(words.splitlines()[0], "0", f"sudo with the role: {words}")
        require(said[0].splitlines()[-1] == said[1].splitlines()[-1], f"the session's groups have changed: {said}")
        found = records(host, person)
        equal([r.get("ENTRALOGIN_SERVICE") for r in found], ["sudoers"], "the records")
        require(bool(found[0].get("ENTRALOGIN_CORRELATION_ID")), f"the record lacks its question: {found[0]}")
        wait_for(lambda: ADMINS not in host.machine.must("id", "-Gn", person.login).out.split(), "the membership's end")
    return found[0]["MESSAGE"]


@case("P2", "a role that is lost and given again during a session counts again in it; each change has its record")
def given_again(env: Environment) -> str:
    with env.fresh("again") as host:
        person = administrator(env)
        steps = [lambda: None, taken(env, host, person), given(env, host, person), taken(env, host, person)]
        said = in_steps(env, host, person, steps, SUDO)
        roots = ["0" in words.splitlines() for words in said]
        equal(roots, [True, False, True, False], f"root in each step: {said}")
        equal(len(records(host, person)), 1, "records of a raise")
    return "root, no, root, no"


@case("P2", "without a session nobody is raised: not by what a session left behind, not by a job; nor is Azure asked")
def not_without_session(env: Environment) -> str:
    with env.fresh("noraise") as host:
        person, out, go = env.newcomer(), "/tmp/left-out", "/tmp/left-go"
        later = f"while [ ! -e {go} ]; do sleep 0.05; done; ({SUDO}; echo ended $?) >{out}.new 2>&1; mv {out}.new {out}"
        host.ssh(person, f"nohup setsid sh -c '{later}' >/dev/null 2>&1 </dev/null &")
        wait_for(lambda: not host.machine.connections(), "the end of the session")
        given(env, host, person)()
        asked = questions(env, host, person)
        host.machine.write(go, "")
        wait_for(lambda: host.machine.path(out).exists(), "what was left behind")
        said = host.machine.read(out)
        require("ended 1" in said and NO_RIGHT in said, said)
        # As in a job of cron: without a session of sshd.
        job = host.machine.run("sudo", "-n", "id", "-u", user=person.login)
        require(not job.ok and NO_RIGHT in job.text, f"sudo of a job: {job.text}")
        host.pass_by(1000, wall=False)
        host.tool("status")  # wakes the daemon, whose timer was set by the true clock
        time.sleep(1)
        equal(questions(env, host, person), asked, "questions to Azure")
        require(not records(host, person), "somebody was raised")
        # The control: the same person, the same role, in a session.
        equal(host.ssh(person, SUDO).out, "0\n", "sudo in a session")
    return "refused and not asked about; with a session: root"


@case("P1", "a role that Azure gives during a session is found in the background too, without a sudo")
def raised_by_the_round(env: Environment) -> str:
    with env.fresh("round") as host:
        person = env.newcomer()

        def a_round() -> None:
            env.make_administrator(person)
            mark = host.journal.mark()
            for _ in range(4):
                host.pass_by(3 * A_ROUND, wall=False)
                host.tool("status")
                try:
                    record = host.journal.wait(mark, limit=5, event="raised", user=person.login)
                    require("ENTRALOGIN_SERVICE" not in record, f"a round has no service: {record}")
                    return
                except TimeoutError:
                    continue
            raise TimeoutError("nobody was raised")

        outcome = session_around(env, host, person, "true", a_round, SUDO)
        equal(outcome.out, "0\n", f"sudo after the round ({outcome.text})")
    return "raised without a sudo"


@case("P13", "a hundred refused sudo of one account ask Azure once a minute, and of nobody else")
def bounded(env: Environment) -> str:
    with env.fresh("bounded") as host:
        person, other = env.newcomer(), env.newcomer()
        seen: list[int] = []

        def count() -> None:
            seen.append(questions(env, host, person))
            host.pass_by(A_MINUTE, wall=False)

        many = "for i in $(seq 50); do sudo -n true 2>/dev/null && echo root; done"
        equal(host.ssh(other, "true").ok, True, "the other one's sign-in")
        before = questions(env, host, other)
        outcome = session_around(env, host, person, many, count, many)
        seen.append(questions(env, host, person))
        require("root" not in outcome.out, outcome.text)
        require(1 <= seen[0] <= 2, f"questions of the sign-in and 50 sudo: {seen}")
        equal(seen[1] - seen[0], 1, "questions of 50 more, a minute later")
        # A name in sudo's arguments does not count as that user's own request.
        host.ssh(person, f"sudo -n -l -U {other.login}; sudo -n -u {other.login} true")
        host.ssh(env.lisa, f"sudo -n -l -U {other.login}; sudo -n -u {other.login} true")
        equal(questions(env, host, other), before, "questions about somebody else")
    return f"{seen[0]} questions with the sign-in, then {seen[1] - seen[0]}"
