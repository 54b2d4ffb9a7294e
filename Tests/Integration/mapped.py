# SPDX-License-Identifier: Apache-2.0
"""P1, P2, P7: Entra groups as Unix groups (`[Groups]`), as Documentation/groups.md has them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from bed import Person
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from blocked import told
from case import case
from everyday import sshd_says
from ground import SETTINGS as CONFIGURED
from ground import Ground, Site
from roles import session_around
from simulator import contoso

NAME = "engineers_entra"
OTHER = "platform_entra"
SETTINGS = f"[Groups]\n{NAME}={contoso.ENGINEERS.object_id}\n{OTHER}={contoso.PLATFORM.object_id}\n"
PERMISSIONS = ("GroupMember.Read.All", "User.Read.All")
FIRST_GID = 1879048208
SUDOERS = "/etc/sudoers.d/zz-engineers"
RENAMED = "aaa_first"  # in the order of names before the other, which had the second number
STORE = "/var/lib/entralogin/groups"
RULE = f'"%:entralogin:{NAME}" ALL=(root) NOPASSWD: /usr/bin/id\n'


@contextmanager
def mapping(ground: Ground, name: str, *permissions: str, settings: str = SETTINGS) -> Iterator[Site]:
    """A machine with two Entra groups, whose identity holds these permissions."""
    ground.azure.post("graph", permissions=list(permissions))
    try:
        with ground.fresh(name, settings=settings) as site:
            wait_for(lambda: site.machine.run("getent", "group", OTHER).ok, "the published groups")
            yield site
    finally:
        ground.azure.post("graph", permissions=[])


def move(ground: Ground, person: Person, how: str) -> None:
    ground.azure.post(how, who=ground.key_of(person), group="developers")


def groups(site: Site, person: Person) -> list[str]:
    return admitted(site.ssh(person, "id -Gn")).split()


@case("P3",
      "an Entra group is a Unix group from a session's first moment, nested ones counted; AllowGroups knows it by the second")
def first_moment(ground: Ground) -> str:
    with mapping(ground, "mapped", *PERMISSIONS) as site:
        equal(site.machine.must("getent", "group", NAME).out, f"{NAME}:*:{FIRST_GID}:\n", "getent")
        person, other = ground.newcomer(), ground.newcomer()
        move(ground, person, "join")
        seen = groups(site, person)
        require(NAME in seen and OTHER not in seen, f"{person.login} is in {seen}")
        require(NAME not in groups(site, other), f"{other.login} is in {NAME}")
        newcomer = ground.newcomer()
        move(ground, newcomer, "join")
        sshd_says(site, f"AllowGroups {NAME} lisa\n")
        require(NAME in groups(site, person), "a member is refused")
        refused(site.ssh(other, "id"))
        refused(site.ssh(newcomer, "id"))  # sshd asks before anybody has proved anything
        return " ".join(seen)


@case("P2", "taken out of an Entra group: the next sudo by it is refused in the open session, and the next session has no group")
def taken_out(ground: Ground) -> str:
    with mapping(ground, "mapped-sudo", *PERMISSIONS) as site:
        site.machine.write(SUDOERS, RULE, 0o440)
        site.stamped()
        person, other = ground.newcomer(), ground.newcomer()
        move(ground, person, "join")

        def between() -> None:
            move(ground, person, "leave")
            site.flush()

        outcome = session_around(ground, site, person, "sudo -n id -u", between, "sudo -n id -u; echo ended $?; id -Gn")
        equal(outcome.lines()[0], "0", f"sudo before ({outcome.text})")
        require("ended 1" in outcome.out and outcome.lines().count("0") == 1, f"sudo after works: {outcome.text}")
        require(NAME in outcome.out, f"the session has lost its group id, so nothing was tried: {outcome.text}")
        require(NAME not in groups(site, person), "the group is there in a new session")
        require("0" not in site.ssh(other, "sudo -n id -u").lines(), "sudo without the group")
        move(ground, person, "join")
        site.flush()
        equal(admitted(site.ssh(person, "sudo -n id -u")), "0\n", "back again")
        ground.withdraw(person)
        site.flush()
        refused(site.ssh(person, "sudo -n id -u"))
        return outcome.lines()[-1]


@case("P1", "Graph away: everybody gets in, groups of before last for the grace, and nobody gets one")
def graph_away(ground: Ground) -> str:
    with mapping(ground, "mapped-away", *PERMISSIONS) as site:
        site.machine.write(SUDOERS, RULE, 0o440)
        site.stamped()
        person, newcomer = ground.newcomer(), ground.newcomer()
        for one in (person, newcomer):
            move(ground, one, "join")
        require(NAME in groups(site, person), "no group")
        site.pass_by(400, wall=False)
        with ground.azure.fault("refuse", "graph"):
            require(NAME in groups(site, person), "the group did not last")
            equal(admitted(site.ssh(person, "sudo -n id -u")), "0\n", "sudo within the grace")
            require(NAME not in groups(site, newcomer), "a group without an answer")
            site.pass_by(3700, wall=False)
            require("0" not in site.ssh(person, "sudo -n id -u").lines(), "sudo after the grace")
        site.pass_by(400, wall=False)
        equal(admitted(site.ssh(person, "sudo -n id -u")), "0\n", "sudo once Graph is back")
        require(NAME in groups(site, newcomer), "no group once Graph is back")
    return "within the grace, and not after"


@case("P16", "without the permission everybody gets in without groups, and doctor gives the command")
def permission_missing(ground: Ground) -> str:
    with mapping(ground, "mapped-permission") as site:
        person = ground.newcomer()
        move(ground, person, "join")
        require(NAME not in groups(site, person), "a group without the permission")
        finding = next(f for f in told(site, "doctor")["findings"] if f["id"] == "daemon.directory-refused")
        for words in (*PERMISSIONS, "appRoleAssignments", "98830695-27a2-44f7-8c18-0c3ebc9698f6"):
            require(words in finding["remedy"], f"the remedy lacks {words}: {finding}")
        ground.azure.post("graph", permissions=PERMISSIONS[:1])
        site.flush()
        require(NAME not in groups(site, person), "a group with half of the permissions")
        require(any(f["id"] == finding["id"] for f in told(site, "doctor")["findings"]), "doctor does not say it any more")
        ground.azure.post("graph", permissions=PERMISSIONS)
        site.flush()
        require(NAME in groups(site, person), "no group with the permission")
        require(not any("directory" in f["id"] for f in told(site, "doctor")["findings"]), "doctor still says it")
    return finding["remedy"]


@case("P5", "the numbers of Entra groups are lost: no group gets another's, until they are restored or root does without them")
def lost_numbers(ground: Ground) -> str:
    def ids() -> list[str]:
        return [site.machine.run("getent", "group", name).out for name in (NAME, OTHER)]

    def said() -> str:
        return next((w["text"] for w in told(site, "status")["warnings"] if STORE in w["text"]), "")

    with mapping(ground, "mapped-lost", *PERMISSIONS) as site:
        person = ground.newcomer()
        move(ground, person, "join")
        require(NAME in groups(site, person), "no group")
        before = ids()
        site.service.stop()
        site.machine.must("mv", STORE, "/tmp/groups")
        site.machine.write(CONFIGURED, site.machine.read(CONFIGURED).replace(f"{NAME}=", f"{RENAMED}="))
        site.begin()
        wait_for(lambda: "is missing" in said(), "the word about the numbers")
        equal([*ids(), site.machine.run("getent", "group", RENAMED).out], ["", "", ""], "groups without their numbers")
        require(RENAMED not in groups(site, person), "a group without a number")
        site.machine.must("mv", "/tmp/groups", STORE)
        site.service.signal(signal.SIGHUP)
        wait_for(lambda: not said(), "the restored numbers")
        equal(ids(), ["", before[1]], "after the restoration")
        equal(site.machine.must("getent", "group", RENAMED).out, before[0].replace(NAME, RENAMED), "the renamed group")
        site.service.stop()
        site.machine.must("rm", STORE, f"{STORE}-given")
        site.begin()
        wait_for(lambda: site.machine.run("getent", "group", OTHER).ok, "new numbers")
    return before[0]


@case("P7", "a name that a local group has is the local group's, and doctor says so; no Entra account is in it")
def held_name(ground: Ground) -> str:
    with mapping(ground, "mapped-held", *PERMISSIONS) as site:
        person = ground.newcomer()
        move(ground, person, "join")
        require(NAME in groups(site, person), "no group")
        # groupadd asks the name service and refuses the name: so by hand.
        local = site.machine.read("/etc/group")
        site.machine.write("/etc/group", f"{local}{NAME}:x:5555:\n")
        site.service.signal(signal.SIGHUP)
        wait_for(lambda: NAME in str(told(site, "status")["warnings"]), "the word about the name")
        require(NAME not in groups(site, person), "a member of the local group")
        equal(site.machine.must("getent", "group", NAME).out, f"{NAME}:x:5555:\n", "getent")
        finding = next(f for f in told(site, "doctor")["findings"] if f["id"] == "daemon.shadowed-group")
        site.machine.write("/etc/group", local)
        site.service.signal(signal.SIGHUP)
        wait_for(lambda: NAME not in str(told(site, "status")["warnings"]), "the free name")
        site.flush()
        require(NAME in groups(site, person), "no group once the name is free")
    return finding["text"] if "text" in finding else str(finding)
