# SPDX-License-Identifier: Apache-2.0
"""P2, P5, P6 and P8: outdated records and memberships, where nscd or SSSD caches them or the daemon is dead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from case import case
from credentials import MARK, shut_out
from environment import Environment, Host
from identity import colliding_names, first_uid, renamed, retire
from names import running
from roles import ADMINS, administrator, session_around
from simulator import contoso
from testbed import Person
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

NSCD = "/usr/sbin/nscd"
SEES_NEWCOMERS = "[Accounts]\nProvisionalCallers=sshd nscd\n"


@contextmanager
def with_nscd(env: Environment, name: str, settings: str = "") -> Iterator[Host]:
    """A machine where a real nscd caches names and groups, as Debian configures it."""
    with env.fresh(name, settings=settings) as host:
        host.machine.path("/run/nscd").mkdir(exist_ok=True)
        host.machine.start_daemon(NSCD, "-F")
        wait_for(lambda: host.machine.run(NSCD, "-g").ok, "nscd")
        yield host


def forget(host: Host) -> None:
    for table in ("passwd", "group"):
        host.machine.must(NSCD, "-i", table)


def kept(host: Host, person: Person) -> int | None:
    """The uid that an ordinary process sees; for a user who never signed in, it can come only from nscd."""
    found = host.machine.run("getent", "passwd", person.login, user="daemon")
    return int(found.out.split(":")[2]) if found.ok else None


@case("P6", "nscd keeps a provisional record whose number somebody else has got: refused; in with another number later")
def stale_provisional(env: Environment) -> str:
    first, second = (renamed(env, name) for name in colliding_names())
    with with_nscd(env, "nscd", SEES_NEWCOMERS) as host:
        equal(kept(host, second), first_uid(second.login), "what nscd keeps of the second")
        admitted(host.ssh(first, "id -u"), f"{first_uid(first.login)}\n")
        equal(kept(host, second), first_uid(second.login), "what nscd keeps of the second still")
        before, mark = host.rest(), host.journal.mark()
        shut_out(host.ssh(second, f"echo {MARK}"))
        record = host.journal.wait(mark, user=second.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "record-changed", "reason")
        equal(host.state(), before, "the state folder")
        require(not host.machine.path(f"/home/{second.login}").exists(), "the second has a home")
        forget(host)
        uid = admitted(host.ssh(second, "id -u")).strip()
        require(uid != str(first_uid(second.login)), f"the second got the first's number {uid}")
        admitted(host.ssh(first, "id -u"), f"{first_uid(first.login)}\n")
    return record["MESSAGE"]


@case("P6", "nscd keeps the record of an account that was retired, or hidden by a local one: refused")
def stale_account(env: Environment) -> str:
    seen = []
    with with_nscd(env, "nscd-old", SEES_NEWCOMERS) as host:
        retired, hidden = env.newcomer(), env.newcomer()
        for person in (retired, hidden):
            admitted(host.ssh(person, "true"))
        retire(host, retired)
        with host.machine.path("/etc/group").open("a") as groups:
            groups.write(f"{hidden.login}:x:2000:\n")
        for person, reason in ((retired, "account-retired"), (hidden, "local-account")):
            require(kept(host, person) is not None, f"nscd has forgotten {person.login}: nothing is tried")
            mark = host.journal.mark()
            shut_out(host.ssh(person, f"echo {MARK}"))
            record = host.journal.wait(mark, user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], reason, f"reason for {person.login}")
            seen.append(reason)
    return ", ".join(seen)


@case("P2", "nscd keeps a membership that has ended: a new session holds the group entra_admins, sudo is refused")
def stale_membership(env: Environment) -> str:
    with with_nscd(env, "nscd-groups", SEES_NEWCOMERS) as host:
        person = administrator(env)
        other = env.newcomer()
        admitted(host.ssh(other, "true"))

        def while_signed_in() -> None:
            forget(host)
            require(ADMINS in host.machine.must("id", "-Gn", person.login).out, "no grant")  # nscd caches it from now on
            env.withdraw(person, role=contoso.ADMINISTRATOR)
            host.flush()

        session_around(env, host, person, "true", while_signed_in, "true")
        outcome = host.ssh(person, "id -Gn; sudo -n id -u; echo ended $?")
        require(ADMINS in outcome.lines()[0], f"the session has no such group, so nothing is tried: {outcome.text}")
        require("ended 0" not in outcome.out and "0" not in outcome.lines()[1:], f"sudo works: {outcome.text}")
        require("membership of the administrators has ended" in outcome.err, f"not for that reason: {outcome.err}")
        require("0" not in host.ssh(other, "sudo -n id -u").lines(), "somebody else has sudo")
    return outcome.err.strip().splitlines()[0]


@case("P8", "doctor warns where nscd keeps passwd or group, with its line and remedy; the stamp and sign-in stay")
def warned_of(env: Environment) -> str:
    with with_nscd(env, "nscd-doctor", SEES_NEWCOMERS) as host:
        warned = host.tool("doctor")
        for table in ("passwd", "group"):
            require(f"nscd keeps {table}" in warned.text and f"enable-cache {table} no" in warned.text,
                    f"doctor does not warn of {table}: {warned.text}")
        require(host.tool("stack", "--stamp").ok, "a warning keeps the stamp from being made")
        admitted(host.ssh(env.newcomer(), "true"))
        settings = host.machine.read("/etc/nscd.conf").splitlines()
        changed = [" ".join([*words[:2], "no"]) if (words := line.split())[:1] == ["enable-cache"] else line
                   for line in settings]
        host.machine.write("/etc/nscd.conf", "\n".join(changed) + "\n")
        after = host.tool("doctor").text
        require("keeps neither passwd nor group" in after and "nscd keeps passwd" not in after,
                f"doctor of the new settings: {after}")
    return next(line.strip() for line in warned.text.splitlines() if "nscd keeps" in line)


@case("P2", "a grant lapses with the daemon dead: the person loses the group; before any, there is an empty file")
def lapsed_without_daemon(env: Environment) -> str:
    with env.fresh("lapsed") as host:
        machine, person = host.machine, administrator(env)
        grants = machine.path("/run/entralogin/nss/grants.snapshot")
        equal((grants.stat().st_size, grants.stat().st_mode & 0o7777), (64, 0o644), "the grants before anybody's")

        def is_member(ahead: int) -> bool:
            """Whether the person has the group when the clock is `ahead` seconds ahead."""
            later = ("unshare", "--time", "--boottime", str(ahead), "--fork") if ahead else ()
            return ADMINS in machine.must(*later, "id", "-Gn", person.login).out.split()

        def while_signed_in() -> None:
            seen.append(is_member(0))
            host.service.kill()
            seen.extend(is_member(ahead) for ahead in (0, 3000, 3700))

        seen: list[bool] = []
        session_around(env, host, person, "true", while_signed_in, "true")
        equal(seen, [True, True, True, False], "running; dead; 50 minutes later; an hour later")
    return "a member while the daemon runs, dead, and 50 minutes later; after an hour no more"


SSSD = """[sssd]
services = nss
domains = ours
[nss]
entry_negative_timeout = 3600
[domain/ours]
id_provider = proxy
proxy_lib_name = entralogin
auth_provider = none
access_provider = permit
entry_cache_timeout = 3600
re_expression = (?P<name>.+)
"""


@case("P5",
      "an SSSD that serves Entra names itself keeps who has gone and who was not there yet, until it is told to forget")
def sssd_forgets(env: Environment) -> str:
    with env.fresh("sssd-forgets", layered=True) as host:
        machine, known, newcomer = host.machine, env.newcomer(), env.newcomer()
        admitted(host.ssh(known, "true"))
        machine.write("/etc/sssd/sssd.conf", SSSD, 0o600)
        with running(host, "/usr/sbin/sssd", "--interactive", "--debug-level=0"):

            def says(person: Person) -> bool:
                return machine.run("getent", "-s", "sss", "passwd", person.login).ok

            wait_for(lambda: says(known), "SSSD to know our people", 60)
            require(not says(newcomer), "SSSD knows who never signed in")
            admitted(host.ssh(newcomer, "true"))
            retire(host, known)
            equal((says(known), says(newcomer)), (True, False), "what SSSD keeps")
            machine.must("/usr/libexec/entralogin/forget-names")
            wait_for(lambda: (says(known), says(newcomer)) == (False, True), "SSSD to have forgotten")
    return "kept for an hour otherwise"
