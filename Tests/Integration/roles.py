# SPDX-License-Identifier: Apache-2.0
"""P1 and P2: a role is what Azure says now, or said within the grace; a "no" is final and immediate."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from case import case
from environment import Environment, Host
from identity import FIRST_UID
from simulator import contoso
from testbed import Outcome, Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

ADMINS = "entra_admins"
ADMINS_GID = FIRST_UID - 1023
TARGETPW = "/etc/sudoers.d/zz-administrator"  # read after entralogin's file, so its values win
EARLY_SUDOERS = "/etc/sudoers.d/administrator"  # read before entralogin's file


def session_around(env: Environment, host: Host, person: Person, before: str, between: Callable[[], None],
                   after: str, limit: float = 60) -> Outcome:
    """One session of at most `limit` seconds: runs `before`, then waits while the case acts, then runs `after`."""
    ready, go = f"/tmp/{person.login}-ready", f"/tmp/{person.login}-go"
    for path in (ready, go):
        host.machine.remove(path)
    script = f"{before}; touch {ready}; while [ ! -e {go} ]; do sleep 0.05; done; {after}"
    running = env.aside(host.ssh, person, script, timeout=limit)
    try:
        wait_for(lambda: host.machine.path(ready).exists() or running.done(), f"{person.login}'s session")
        require(not running.done(), f"the session ended: {running.result(0).text if running.done() else ''}")
        between()
    finally:
        host.machine.write(go, "")
    outcome: Outcome = running.result(limit + 30)
    return outcome


def administrator(env: Environment) -> Person:
    person = env.newcomer()
    env.make_administrator(person)
    return person


def sudo_refused_after(env: Environment, host: Host, person: Person, change: Callable[[], None],
                       sudo: str = "sudo -n", service: str = "sudoers") -> str:
    """Requires that sudo works, and that after the role has changed the next sudo in that session is refused and says why."""

    def between() -> None:
        change()
        host.flush()

    mark = host.journal.mark()
    outcome = session_around(env, host, person, f"{sudo} id -u", between, f"{sudo} id -u; echo ended $?; id -Gn")
    lines = outcome.lines()
    equal(lines[0], "0", f"sudo before the change ({outcome.text})")
    require("ended 0" not in outcome.out and lines.count("0") == 1, f"sudo after the change works: {outcome.text}")
    require(ADMINS in outcome.out, f"the session has lost its group id, so nothing was tried: {outcome.text}")
    require("password is required" in outcome.err, f"sudo ended for another reason: {outcome.err}")
    object_id = env.testbed.directory.principals[env.key_of(person)].object_id
    record = host.journal.wait(mark, event="account", object_id=object_id, service=service, decision="deny")
    return record["MESSAGE"]


@case("P2", "the role withdrawn during a session ends the next sudo")
def withdrawn(env: Environment) -> str:
    person = administrator(env)
    return sudo_refused_after(env, env.vm, person, lambda: env.withdraw(person))


@case("P2", "Administrator lowered to User during a session ends the next sudo, and a new session has none")
def lowered(env: Environment) -> str:
    person = administrator(env)
    seen = sudo_refused_after(env, env.vm, person,
                              lambda: env.withdraw(person, role=contoso.ADMINISTRATOR))
    outcome = env.vm.ssh(person, "id -Gn; sudo -n id -u")
    require(ADMINS not in outcome.out.split() and "0" not in outcome.lines()[1:], outcome.text)
    return seen


@case("P2", "lowered during a session: sudo is refused under targetpw and rootpw too")
def lowered_under_targetpw(env: Environment) -> str:
    seen = []
    for setting in ("targetpw", "rootpw"):
        person = administrator(env)
        env.vm.machine.write(TARGETPW, f"Defaults:%{ADMINS} {setting}\n", 0o440)
        try:
            seen.append(sudo_refused_after(env, env.vm, person,
                                           partial(env.withdraw, person, role=contoso.ADMINISTRATOR)))
        finally:
            env.vm.machine.remove(TARGETPW)
    return seen[-1]


@case("P2", "lowered during a session: sudo and sudo -i are refused whatever PAM services sudoers names")
def lowered_under_another_service(env: Environment) -> str:
    seen = []
    with env.fresh("services") as host:
        machine = host.machine
        machine.write("/etc/pam.d/open", "account required pam_permit.so\nsession required pam_permit.so\n")
        machine.write("/etc/pam.d/site", machine.read("/etc/pam.d/sudo"))
        for path, service in ((EARLY_SUDOERS, "open"), (TARGETPW, "site"), (TARGETPW, "cron"), (TARGETPW, "systemd-user")):
            machine.write(path, f"Defaults pam_service={service}, pam_login_service={service}\n", 0o440)
            for sudo in ("sudo -n", "sudo -n -i"):
                person = administrator(env)
                seen.append(sudo_refused_after(env, host, person,
                                               partial(env.withdraw, person, role=contoso.ADMINISTRATOR), sudo))
            machine.remove(path)
        host.stamped()
        machine.write("/etc/pam.d/sudo-i", machine.read("/etc/pam.d/open"))
        require(not host.stamp(), "the stack check is content with a sudo -i that does not ask us")
    return seen[-1]


@case("P2", "a setgid program of an administrator's makes nobody else one: no local user, no User")
def lent_group(env: Environment) -> str:
    host, person, user = env.vm, administrator(env), env.newcomer()
    path = f"/var/tmp/{person.login}"
    script = ("$ENV{PATH} = q(/usr/bin:/bin); delete @ENV{qw(IFS CDPATH ENV BASH_ENV)}; $( = $); "
              "system(q(/usr/bin/id), q(-G)); exec(q(/usr/bin/sudo), q(-n), q(id), q(-u))")
    made = host.ssh(person, f"cp /usr/bin/perl {path} && chgrp {ADMINS} {path} && chmod 2755 {path} && sudo -n id -u")
    equal(made.out, "0\n", f"the administrator's own sudo ({made.text})")
    try:
        for other in (env.lisa, user):
            outcome = host.ssh(other, f"{path} -e '{script}'")
            require(str(ADMINS_GID) in outcome.out, f"it has not got the group, so nothing was tried: {outcome.text}")
            require("0" not in outcome.lines(), f"{other.login} is root: {outcome.text}")
            require("password is required" in outcome.err, f"sudo ended for another reason: {outcome.err}")
    finally:
        host.machine.remove(path)
    return outcome.err.strip().splitlines()[0]


@case("P2", "a withdrawn role ends sign-in, and an outage afterwards does not bring it back")
def no_stays_no(env: Environment) -> str:
    with env.fresh("stays") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        env.withdraw(person)
        host.pass_by(400)  # the "yes" is too old for a sign-in, but recent enough for the grace
        refused(host.ssh(person, "id"), "role not assigned")
        with env.azure.fault("refuse", "pas"), env.azure.fault("refuse", "arm"):
            host.pass_by(120)  # the "no" is not fresh any more
            text = refused(host.ssh(person, "id"))
    return text.splitlines()[0]


@case("P2", "PAS says no: role assignments confirm it, ARM's own checkaccess is not asked, and the no stands for its minute")
def no_second_source(env: Environment) -> str:
    with env.fresh("one-source") as host:
        for _ in range(2):
            refused(host.ssh(env.person("carol"), "id"), "role not assigned", contoso.USER)
        equal(host.count("pas"), 1, "questions to PAS")
        asked = [r["path"].rpartition("/")[2] for r in host.requests("arm")]
    equal(sorted(asked), ["denyAssignments", "roleAssignments"], "what ARM was asked")
    return "one question to PAS, two lists of ARM, twice refused"


@case("P1", "Azure out of reach: grace for an earlier allow, none for the unknown, none when it is over")
def grace(env: Environment) -> str:
    with env.fresh("grace") as host:
        known, unknown = env.newcomer(), env.newcomer()
        admitted(host.ssh(known, "true"))
        with env.azure.fault("refuse", "pas"), env.azure.fault("refuse", "arm"):
            host.pass_by(400)
            mark = host.journal.mark()
            admitted(host.ssh(known, "true"))
            record = host.journal.wait(mark, event="account", user=known.login)
            require("grace" in record["MESSAGE"], f"the record hides it: {record}")
            refused(host.ssh(unknown, "id"), "could not be reached")
            host.pass_by(3600, wall=False)  # with the wall clock, the certificate would have expired, too
            refused(host.ssh(known, "id"), "could not be reached")
        host.pass_by(60, wall=False)
        admitted(host.ssh(known, "true"))
    return "allowed within the hour, refused after it; the unknown refused at once"


@case("P1", "loginAsAdmin without login, and Owner with Contributor, admit nobody")
def other_roles(env: Environment) -> str:
    for key in ("ivan", "olga"):
        refused(env.vm.ssh(env.person(key), "id"), contoso.USER)
        require(not env.vm.enrolled(env.person(key).login), f"{key} is enrolled")
    return "ivan and olga refused, not enrolled"


def renewed(host: Host) -> None:
    """Lets 1,000 s pass, until the renewal has asked Azure again. If the clock jumps just before the renewal goes to sleep, the
    renewal sleeps from the new time on: so this tries three times."""
    mark = host.journal.mark()
    for _ in range(3):
        host.pass_by(1000)
        host.tool("status")  # wakes the daemon, whose timer was set by the true clock
        with suppress(TimeoutError):
            host.journal.wait(mark, limit=3, event="access-check")
            return
    raise TimeoutError("the grant is not renewed")


@case("P1", "sudo still works after a whole grant lifetime in one session, and the grant ends with the session")
def grant_renewed(env: Environment) -> str:
    with env.fresh("grant") as host:
        person = administrator(env)

        def an_hour_passes() -> None:
            for _ in range(5):
                renewed(host)
            wait_for(lambda: ADMINS in groups(host, person), f"{person.login} in {ADMINS}")

        outcome = session_around(env, host, person, "sudo -n id -u", an_hour_passes, "sudo -n id -u; id -Gn")
        equal(outcome.lines()[:2], ["0", "0"], outcome.text)
        wait_for(lambda: ADMINS not in groups(host, person), f"{person.login} out of {ADMINS}")
    return "renewed for 5,000 s, withdrawn with the session"


def groups(host: Host, person: Person) -> list[str]:
    return host.machine.must("id", "-Gn", person.login).out.split()


@case("P1", "sudo and su to a name that was never enrolled are refused")
def never_enrolled_target(env: Environment) -> str:
    stranger = env.newcomer()
    admitted(env.vm.ssh(env.person("alice"), "true"))
    for command in (f"sudo -n -u {stranger.login} id -u", f"sudo -n su {stranger.login} -c 'id -u'"):
        outcome = env.vm.ssh(env.person("alice"), command)
        require(not outcome.ok and outcome.out == "", f"{command}: {outcome.text}")
    require(not env.vm.enrolled(stranger.login), f"{stranger.login} is enrolled")
    return "refused for sudo -u and su"


@case("P1", "cron runs for somebody whose last decision was an allow, and not when it was a no")
def cron(env: Environment) -> str:
    with env.fresh("cron") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        machine, result = host.machine, host.machine.path("/tmp/cron-ran")
        machine.must("crontab", "-u", person.login, "-", input="@reboot id -un >/tmp/cron-ran\n")
        machine.start_cron()
        wait_for(lambda: result.exists() and result.read_text() == f"{person.login}\n", "the cron job")
        machine.stop_cron()
        machine.remove("/tmp/cron-ran")

        env.withdraw(person)
        host.pass_by(400)
        refused(host.ssh(person, "id"), "role not assigned")
        mark = host.journal.mark()
        machine.start_cron()
        record = host.journal.wait(mark, lambda r: r.get("ENTRALOGIN_SERVICE") == "cron", user=person.login)
        machine.stop_cron()
        equal(record.get("ENTRALOGIN_DECISION"), "deny", f"cron's record {record}")
        require(not result.exists(), "the job ran")
    return "ran after the allow; after the no it did not, and the record says so"
