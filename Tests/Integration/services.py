# SPDX-License-Identifier: Apache-2.0
"""P1, P2 and P8: sudo, su, at, cron and user services by the table in ARCHITECTURE.md; how long a sign-in counts for them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from case import case
from environment import PASSWORD, Environment, Host
from roles import ADMINS, administrator, session_around
from simulator.sshkeys import public_line
from testbed import Outcome, Person, pam
from testbed.checks import admitted, equal, refused, require
from testbed.jobs import wait_until_ran
from testbed.machine import wait_for
from testbed.person import forged
from testbed.tracing import connecting_to_nothing

ATD = "/usr/sbin/atd"
RULES = "/etc/sudoers.d/50-own-rules"
RAN = "/tmp/at-ran"


def say_no(env: Environment, host: Host, person: Person) -> None:
    """Withdraws the role; a sign-in 400 s later makes the daemon notice."""
    env.withdraw(person)
    host.pass_by(400)
    refused(host.ssh(person, "id"), "role not assigned")


def catches_hangup(pid: int) -> None:
    """Waits until atd catches the signal by which at(1) announces a job; before that, the signal would end atd."""
    def does() -> bool:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        caught = next(line.split()[1] for line in lines if line.startswith("SigCgt"))
        return bool(int(caught, 16) >> (signal.SIGHUP - 1) & 1)
    wait_for(does, "atd to catch SIGHUP")


def order(host: Host, person: Person) -> None:
    """Submits a job for now as the person; works even if the person can no longer open a session."""
    host.machine.remove(RAN)
    outcome = host.machine.run("at", "-M", "now", user=person.login, input=f"id -un >{RAN}\n")
    require(outcome.ok, f"at refuses the job: {outcome.text}")


@case("P1", "at runs for somebody whose last decision was an allow, and not when it was a no")
def at(env: Environment) -> str:
    with env.fresh("at") as host:
        person, result = env.newcomer(), host.machine.path(RAN)
        admitted(host.ssh(person, "true"))
        catches_hangup(host.machine.start_daemon(ATD, "-f"))
        order(host, person)
        wait_for(lambda: result.exists() and result.read_text() == f"{person.login}\n", "the job")
        host.machine.stop_daemon(ATD)
        say_no(env, host, person)
        order(host, person)
        mark = host.journal.mark()
        host.machine.start_daemon(ATD, "-f")
        record = host.journal.wait(mark, service="atd", user=person.login)
        host.machine.stop_daemon(ATD)
        equal(record.get("ENTRALOGIN_DECISION"), "deny", f"atd's record {record}")
        require(not result.exists(), "the job ran")
    return "ran after the allow; after the no it did not, and the record says so"


@case("P8", "at of local users makes no connection to the daemon (traced)")
def at_of_local_people(env: Environment) -> str:
    with env.fresh("attrace") as host:
        for name in ("lisa", "root"):
            host.machine.must("at", "-M", "now", user=name, input=f"id -un >/tmp/at-{name}\n")
        with connecting_to_nothing(host.machine, env.testbed.scratch / "trace-at", ATD, "-f"):
            for name in ("lisa", "root"):
                wait_until_ran(host.machine, name, f"/tmp/at-{name}")
    return "our module was loaded, and connected to nothing"


@case("P1", "user services (systemd-user) and cron: an allow, a no, somebody never enrolled, by their stage alone")
def user_services(env: Environment) -> str:
    with env.fresh("user") as host:
        person, stranger, scratch = env.newcomer(), env.newcomer(), env.testbed.scratch / "programs"
        admitted(host.ssh(person, "true"))
        services = ("systemd-user", "cron", "atd")

        def results(login: str) -> set[int]:
            return {pam.ask(host.machine, scratch, s, login).results["account"] for s in services}

        equal(results(person.login), {pam.SUCCESS}, "after the allow")
        require(results(stranger.login) <= {pam.UNKNOWN, pam.DENIED}, "somebody never enrolled")
        with env.azure.fault("silent", "pas"), env.azure.fault("silent", "arm"):
            host.pass_by(23 * 3600, wall=False)
            began = time.monotonic()
            equal(results(person.login), {pam.SUCCESS}, "23 hours after the allow, Azure silent")
            require(time.monotonic() - began < 7, "they wait for the network")
        with env.azure.fault("refuse", "pas"), env.azure.fault("refuse", "arm"):
            host.pass_by(26 * 3600, wall=False)
            equal(results(person.login), {pam.UNAVAILABLE}, "after more than a day without an answer")
        env.withdraw(person)
        host.flush()
        refused(host.ssh(person, "id"), "role not assigned")
        mark = host.journal.mark()
        equal(results(person.login), {pam.DENIED}, "after the no")
        for service in services:
            record = host.journal.wait(mark, user=person.login, service=service, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "role-not-assigned", service)
    return "23 hours without Azure: yes; over a day: no; after the no: no"


def old_sign_in(env: Environment, key: str) -> Person:
    """A person whose certificate is valid for 12 hours, because the case sets the daemon's clock ahead."""
    person = env.testbed.person(key)
    line = forged(env.testbed.directory.principals[key], env.testbed.keys / "entra" / "entra-1",
                  public_line(person.identity), not_before=int(time.time()) - 300,
                  not_after=int(time.time()) + 12 * 3600)
    return person.holding(line, "long")


@case("P1", "MaxSignInAge: sudo, su and cron end with it in an open session, and go on after a new sign-in")
def sign_in_age(env: Environment) -> str:
    with env.fresh("age", settings="[SignIn]\nMaxSignInAge=2h\n") as host:
        plain = administrator(env)
        person = old_sign_in(env, env.key_of(plain))
        scratch = env.testbed.scratch / "programs"

        def cron() -> int:
            return pam.ask(host.machine, scratch, "cron", person.login).results["account"]

        def three_hours() -> None:
            equal(cron(), pam.SUCCESS, "cron before")
            host.pass_by(3 * 3600)
            mark = host.journal.mark()
            require(cron() != pam.SUCCESS, "cron goes on")
            for service, result in (("cron", None), ("su", pam.ask(host.machine, scratch, "su", person.login))):
                require(result is None or pam.SUCCESS not in result.results.values(), f"{service} goes on")
                record = host.journal.wait(mark, user=person.login, service=service, decision="deny")
                equal(record["ENTRALOGIN_REASON"], "sign-in-too-old", f"{service}'s reason")

        outcome = session_around(env, host, person, "sudo -n id -u", three_hours, "sudo -n id -u; echo ended $?")
        require(outcome.lines()[0] == "0" and "ended 0" not in outcome.out, outcome.text)
        # The group membership may have ended by then, too; sudo's plugin then reports that first.
        said = "too long ago" in outcome.err or "membership of the administrators has ended" in outcome.err
        require(said, f"it was not for that reason: {outcome.err}")
        admitted(host.ssh(person, "sudo -n id -u"), "0\n")
        equal(cron(), pam.SUCCESS, "cron after a new sign-in")
    return outcome.err.strip().splitlines()[0]


@case("P1", "own sudoers rules work for people with the User role, as far as they go and while the role lasts")
def own_rules(env: Environment) -> str:
    with env.fresh("rules") as host:
        named, grouped = env.newcomer(), env.newcomer()
        rules = f'"{named.login}" ALL=(root) NOPASSWD: /usr/bin/id\n%entra_users ALL=(lisa) NOPASSWD: /usr/bin/whoami\n'
        host.machine.write(RULES, rules, 0o440)
        host.machine.must("visudo", "-c", "-q")
        host.stamped()

        def tried(person: Person, command: str) -> Outcome:
            return host.ssh(person, command)

        admitted(tried(named, "sudo -n id -u"), "0\n")
        for person in (named, grouped):
            admitted(tried(person, "sudo -n -u lisa whoami"), "lisa\n")
            for command in ("sudo -n whoami", "sudo -n -u lisa id", "sudo -n bash -c id"):
                outcome = tried(person, command)
                require(not outcome.ok and outcome.out == "", f"{command} by {person.login}: {outcome.text}")
        require(not tried(grouped, "sudo -n id -u").ok, "the other's rule")
        outcome = session_around(env, host, named, "sudo -n id -u", lambda: withdrawn_at_once(env, host, named),
                                 "sudo -n id -u; echo ended $?")
        require(outcome.lines()[0] == "0" and "ended 0" not in outcome.out and outcome.lines().count("0") == 1,
                f"after the role was withdrawn: {outcome.text}")
    return "each as far as the rule goes; nothing once the role is gone"


def withdrawn_at_once(env: Environment, host: Host, person: Person) -> None:
    env.withdraw(person)
    host.flush()


def answer(host: Host, act: Callable[[], Outcome], allowed: bool, what: str) -> Outcome:
    outcome = act()
    require(outcome.ok == allowed, f"{what}: {outcome.text}")
    return outcome


@case("P2", "su by root to a person, and by a person with root's password: while the role lasts")
def su(env: Environment) -> str:
    with env.fresh("su") as host:
        person = env.newcomer()

        def by_root() -> Outcome:
            return host.ssh(env.root, f"su - {person.login} -c 'id -un'")

        command = f"echo '{PASSWORD}' | su -c 'id -u'"
        admitted(host.ssh(person, command), "0\n")
        equal(answer(host, by_root, True, "su by root").out, f"{person.login}\n", "who it is")
        mark = host.journal.mark()
        outcome = session_around(env, host, person, command, lambda: withdrawn_at_once(env, host, person),
                                 f"{command}; echo ended $?")
        require(outcome.lines()[0] == "0" and "ended 0" not in outcome.out and outcome.lines().count("0") == 1,
                f"su with root's password after the role was withdrawn: {outcome.text}")
        answer(host, by_root, False, "su by root after the role was withdrawn")
        record = host.journal.wait(mark, user="root", decision="deny", service="su")
        equal(record["ENTRALOGIN_REASON"], "role-not-assigned", "reason")
        require(ADMINS not in outcome.out, outcome.text)
        admitted(host.ssh(env.root, "su - lisa -c 'id -un'"), "lisa\n")
    return "root's password is not enough without the role"
