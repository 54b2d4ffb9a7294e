# SPDX-License-Identifier: Apache-2.0
"""P1, P2, P3, P5, P7 and P16: Entra groups as Unix groups (`[Groups]`), as Documentation/groups.md describes them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from blocked import told
from case import case
from environment import SETTINGS as CONFIGURED
from environment import Environment, Host
from everyday import sshd_says
from roles import session_around
from simulator import contoso
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

NAME = "engineers_entra"
OTHER = "platform_entra"
SETTINGS = f"[Groups]\n{NAME}={contoso.ENGINEERS.object_id}\n{OTHER}={contoso.PLATFORM.object_id}\n"
PERMISSIONS = ("GroupMember.Read.All", "User.Read.All")
FIRST_GID = 1879048208
SUDOERS = "/etc/sudoers.d/zz-engineers"
RENAMED = "aaa_first"  # sorts before OTHER, which has the second number
STORE = "/var/lib/entralogin/groups"
RULE = f'"%:entralogin:{NAME}" ALL=(root) NOPASSWD: /usr/bin/id\n'


@contextmanager
def mapping(env: Environment, name: str, *permissions: str, settings: str = SETTINGS) -> Iterator[Host]:
    """A machine with two Entra groups; its managed identity has these permissions in Graph."""
    env.azure.post("graph", permissions=list(permissions))
    try:
        with env.fresh(name, settings=settings) as host:
            wait_for(lambda: host.machine.run("getent", "group", OTHER).ok, "the published groups")
            yield host
    finally:
        env.azure.post("graph", permissions=[])


def move(env: Environment, person: Person, how: str) -> None:
    env.azure.post(how, who=env.key_of(person), group="developers")


def groups(host: Host, person: Person) -> list[str]:
    return admitted(host.ssh(person, "id -Gn")).split()


@case("P3",
      "an Entra group is a Unix group from a session's first moment, nested ones counted; AllowGroups knows it by the second")
def first_moment(env: Environment) -> str:
    with mapping(env, "mapped", *PERMISSIONS) as host:
        equal(host.machine.must("getent", "group", NAME).out, f"{NAME}:*:{FIRST_GID}:\n", "getent")
        person, other = env.newcomer(), env.newcomer()
        move(env, person, "join")
        seen = groups(host, person)
        require(NAME in seen and OTHER not in seen, f"{person.login} is in {seen}")
        require(NAME not in groups(host, other), f"{other.login} is in {NAME}")
        newcomer = env.newcomer()
        move(env, newcomer, "join")
        sshd_says(host, f"AllowGroups {NAME} lisa\n")
        require(NAME in groups(host, person), "a member is refused")
        refused(host.ssh(other, "id"))
        refused(host.ssh(newcomer, "id"))  # sshd checks AllowGroups before the user has proved anything
        return " ".join(seen)


@case("P2", "taken out of an Entra group: the next sudo by it is refused in the open session, and the next session has no group")
def taken_out(env: Environment) -> str:
    with mapping(env, "mapped-sudo", *PERMISSIONS) as host:
        host.machine.write(SUDOERS, RULE, 0o440)
        host.stamped()
        person, other = env.newcomer(), env.newcomer()
        move(env, person, "join")

        def between() -> None:
            move(env, person, "leave")
            host.flush()

        outcome = session_around(env, host, person, "sudo -n id -u", between, "sudo -n id -u; echo ended $?; id -Gn")
        equal(outcome.lines()[0], "0", f"sudo before ({outcome.text})")
        require("ended 1" in outcome.out and outcome.lines().count("0") == 1, f"sudo after works: {outcome.text}")
        require(NAME in outcome.out, f"the session has lost its group id, so nothing was tried: {outcome.text}")
        require(NAME not in groups(host, person), "the group is there in a new session")
        require("0" not in host.ssh(other, "sudo -n id -u").lines(), "sudo without the group")
        move(env, person, "join")
        host.flush()
        equal(admitted(host.ssh(person, "sudo -n id -u")), "0\n", "back again")
        env.withdraw(person)
        host.flush()
        refused(host.ssh(person, "sudo -n id -u"))
        return outcome.lines()[-1]


@case("P1", "Graph away: everybody gets in, groups of before last for the grace, and nobody gets one")
def graph_away(env: Environment) -> str:
    with mapping(env, "mapped-away", *PERMISSIONS) as host:
        host.machine.write(SUDOERS, RULE, 0o440)
        host.stamped()
        person, newcomer = env.newcomer(), env.newcomer()
        for one in (person, newcomer):
            move(env, one, "join")
        require(NAME in groups(host, person), "no group")
        host.pass_by(400, wall=False)
        with env.azure.fault("refuse", "graph"):
            require(NAME in groups(host, person), "the group did not last")
            equal(admitted(host.ssh(person, "sudo -n id -u")), "0\n", "sudo within the grace")
            require(NAME not in groups(host, newcomer), "a group without an answer")
            host.pass_by(3700, wall=False)
            require("0" not in host.ssh(person, "sudo -n id -u").lines(), "sudo after the grace")
        host.pass_by(400, wall=False)
        equal(admitted(host.ssh(person, "sudo -n id -u")), "0\n", "sudo once Graph is back")
        require(NAME in groups(host, newcomer), "no group once Graph is back")
    return "within the grace, and not after"


@case("P16", "without the permission everybody gets in without groups, and doctor gives the command")
def permission_missing(env: Environment) -> str:
    with mapping(env, "mapped-permission") as host:
        person = env.newcomer()
        move(env, person, "join")
        require(NAME not in groups(host, person), "a group without the permission")
        finding = next(f for f in told(host, "doctor")["findings"] if f["id"] == "daemon.directory-refused")
        for words in (*PERMISSIONS, "appRoleAssignments", "98830695-27a2-44f7-8c18-0c3ebc9698f6"):
            require(words in finding["remedy"], f"the remedy lacks {words}: {finding}")
        env.azure.post("graph", permissions=PERMISSIONS[:1])
        host.flush()
        require(NAME not in groups(host, person), "a group with half of the permissions")
        require(any(f["id"] == finding["id"] for f in told(host, "doctor")["findings"]), "doctor does not say it any more")
        env.azure.post("graph", permissions=PERMISSIONS)
        host.flush()
        require(NAME in groups(host, person), "no group with the permission")
        require(not any("directory" in f["id"] for f in told(host, "doctor")["findings"]), "doctor still says it")
    return finding["remedy"]


@case("P5", "the numbers of Entra groups are lost: no group gets another's, until they are restored or root does without them")
def lost_numbers(env: Environment) -> str:
    def ids() -> list[str]:
        return [host.machine.run("getent", "group", name).out for name in (NAME, OTHER)]

    def said() -> str:
        return next((w["text"] for w in told(host, "status")["warnings"] if STORE in w["text"]), "")

    with mapping(env, "mapped-lost", *PERMISSIONS) as host:
        person = env.newcomer()
        move(env, person, "join")
        require(NAME in groups(host, person), "no group")
        before = ids()
        host.service.stop()
        host.machine.must("mv", STORE, "/tmp/groups")
        host.machine.write(CONFIGURED, host.machine.read(CONFIGURED).replace(f"{NAME}=", f"{RENAMED}="))
        host.begin()
        wait_for(lambda: "is missing" in said(), "the word about the numbers")
        equal([*ids(), host.machine.run("getent", "group", RENAMED).out], ["", "", ""], "groups without their numbers")
        require(RENAMED not in groups(host, person), "a group without a number")
        host.machine.must("mv", "/tmp/groups", STORE)
        host.service.signal(signal.SIGHUP)
        wait_for(lambda: not said(), "the restored numbers")
        equal(ids(), ["", before[1]], "after the restoration")
        equal(host.machine.must("getent", "group", RENAMED).out, before[0].replace(NAME, RENAMED), "the renamed group")
        host.service.stop()
        host.machine.must("rm", STORE, f"{STORE}-given")
        host.begin()
        wait_for(lambda: host.machine.run("getent", "group", OTHER).ok, "new numbers")
    return before[0]


@case("P7", "a name that a local group has is the local group's, and doctor says so; no Entra account is in it")
def held_name(env: Environment) -> str:
    with mapping(env, "mapped-held", *PERMISSIONS) as host:
        person = env.newcomer()
        move(env, person, "join")
        require(NAME in groups(host, person), "no group")
        # groupadd refuses the name, because the name service knows it: so the case edits the file itself.
        local = host.machine.read("/etc/group")
        host.machine.write("/etc/group", f"{local}{NAME}:x:5555:\n")
        host.service.signal(signal.SIGHUP)
        wait_for(lambda: NAME in str(told(host, "status")["warnings"]), "the word about the name")
        require(NAME not in groups(host, person), "a member of the local group")
        equal(host.machine.must("getent", "group", NAME).out, f"{NAME}:x:5555:\n", "getent")
        finding = next(f for f in told(host, "doctor")["findings"] if f["id"] == "daemon.shadowed-group")
        host.machine.write("/etc/group", local)
        host.service.signal(signal.SIGHUP)
        wait_for(lambda: NAME not in str(told(host, "status")["warnings"]), "the free name")
        host.flush()
        require(NAME in groups(host, person), "no group once the name is free")
    return finding["text"] if "text" in finding else str(finding)
