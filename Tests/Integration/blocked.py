# SPDX-License-Identifier: Apache-2.0
"""P1 and P2: an account that is disabled in Entra, or deleted, with `CheckAccountEnabled=yes`. PAS still says yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from bed import Person
from bed.checks import admitted, equal, refused, require
from case import case
from ground import Ground, Site
from roles import ADMINS, administrator, sudo_refused_after

ON = "[Azure]\nCheckAccountEnabled=yes\n"
PERMISSION = "User.Read.All"


@contextmanager
def checking(ground: Ground, name: str, *permissions: str) -> Iterator[Site]:
    """A machine that asks Graph, whose identity holds these permissions."""
    ground.azure.post("graph", permissions=list(permissions))
    try:
        with ground.fresh(name, settings=ON) as site:
            yield site
    finally:
        ground.azure.post("graph", permissions=[])


def block(ground: Ground, person: Person, how: str) -> None:
    ground.azure.post(how, who=ground.key_of(person), **({"seen_by_pas": False} if how == "disable" else {}))


def told(site: Site, *arguments: str) -> Any:
    return json.loads(site.tool(*arguments, "--json").out)


@case("P2", "a disabled or deleted account is refused at sign-in and by sudo in an open session, while PAS says yes")
def blocked(ground: Ground) -> str:
    seen = []
    with checking(ground, "blocked", PERMISSION) as site:
        for how, back, words in (("disable", "enable", "disabled in Entra"), ("delete", "restore", "no such account")):
            person = administrator(ground)
            seen.append(sudo_refused_after(ground, site, person, partial(block, ground, person, how)))
            mark = site.journal.mark()
            refused(site.ssh(person, "id"), words, "Correlation id")
            record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "account-disabled", how)
            site.journal.wait(0, event="withdrawn", user=person.login, reason="account-disabled")
            answer = told(site, "check", person.login)
            equal((answer["role"], answer["account"]["state"]), ("none", "disabled" if how == "disable" else "absent"), "check")
            require("administrator" in {row["role"] for row in answer["answers"]}, f"no checker says yes: {answer}")
            newcomer = ground.newcomer()
            block(ground, newcomer, how)
            # A name that never signed in could be a service principal, about which this identity may not ask.
            refused(site.ssh(newcomer, "id"), words if how == "disable" else "may not ask Entra")
            require(not site.enrolled(newcomer.login), f"{newcomer.login} is enrolled")
            block(ground, person, back)
            site.pass_by(61)  # the no is not fresh any more
            require(ADMINS in admitted(site.ssh(person, "id -Gn")).split(), f"{back}: no administrator")
    return seen[-1]


@case("P1", "Graph away: who was in goes on within the grace and not after it, nobody new gets in, and a no stays a no")
def graph_away(ground: Ground) -> str:
    with checking(ground, "graph-away", PERMISSION) as site:
        known, gone, new = ground.newcomer(), ground.newcomer(), ground.newcomer()
        for person in (known, gone):
            admitted(site.ssh(person, "id -un"), f"{person.login}\n")
        block(ground, gone, "disable")
        site.pass_by(400, wall=False)  # too old for a sign-in, young enough for the grace
        refused(site.ssh(gone, "id"), "disabled in Entra")
        with ground.azure.fault("refuse", "graph"):
            admitted(site.ssh(known, "id -un"), f"{known.login}\n")
            refused(site.ssh(gone, "id"), "disabled in Entra")
            text = refused(site.ssh(new, "id"), "Microsoft Graph could not be reached")
            site.pass_by(3700, wall=False)
            refused(site.ssh(known, "id"), "Microsoft Graph could not be reached")
        site.pass_by(40, wall=False)  # the daemon does not retry a host that was not reached for half a minute
        for person in (known, new):
            admitted(site.ssh(person, "id -un"), f"{person.login}\n")
        block(ground, gone, "enable")
    return text.splitlines()[0]


@case("P1", "Graph's throttling, errors, redirects, nonsense and answers about others let nobody in, each with its own reason")
def graph_faults(ground: Ground) -> str:
    faults: tuple[tuple[str, Any, str], ...] = (
        ("server-error", 500, "unreachable"), ("wrong-json", None, "malformed-answer"), ("huge-body", 1, "malformed-answer"),
        ("redirect", None, "malformed-answer"), ("other-object", None, "malformed-answer"), ("status", 404, "malformed-answer"),
        ("status", 403, "directory-refused"), ("throttle", 30, "throttled"),
    )
    with checking(ground, "graph-faults", PERMISSION) as site:
        for name, value, reason in faults:
            person = ground.newcomer()
            mark = site.journal.mark()
            with ground.azure.fault(name, "graph", value):
                refused(site.ssh(person, "id"), "Correlation id")
            record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], reason, f"{name} {value}")
            require(not site.enrolled(person.login), f"{name}: {person.login} is enrolled")
    return f"{len(faults)} faults"


@case("P16", "without the permission nobody gets in, and screen, check, status and doctor say which one is missing")
def permission_missing(ground: Ground) -> str:
    with checking(ground, "permission") as site:
        person = ground.newcomer()
        text = refused(site.ssh(person, "id"), "may not ask Entra whether your account is enabled", "entraloginctl doctor")
        finding = next(f for f in told(site, "doctor")["findings"] if f["id"] == "daemon.directory-refused")
        for words in (PERMISSION, "appRoleAssignments", "az rest", "df021288-bdef-4463-88db-98f22de89214"):
            require(words in finding["remedy"], f"the remedy lacks {words}: {finding}")
        equal(told(site, "status")["directory"]["lastErrorCode"], "directory-refused", "status")
        equal(told(site, "check", "x", "--object-id", ground.bed.directory.principals[ground.key_of(person)].object_id)
              ["account"]["reason"], "directory-refused", "check")
        ground.azure.post("graph", permissions=[PERMISSION])
        site.pass_by(5)  # the pause after a fault
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
        require(not any("directory" in f["id"] for f in told(site, "doctor")["findings"]), "doctor still says it")
    return text.splitlines()[0]


@case("P1", "a service principal is no user: it gets in where the machine's identity may read service principals, too")
def service_principal(ground: Ground) -> str:
    with checking(ground, "principal", PERMISSION) as site:
        pipeline = ground.person("svc")
        refused(site.ssh(pipeline, "id"), "may not ask Entra whether your account is enabled")
        require("Application.Read.All" in json.dumps(told(site, "doctor")), "doctor names another permission")
        ground.azure.post("graph", permissions=[PERMISSION, "Application.Read.All"])
        site.pass_by(61)
        return admitted(site.ssh(pipeline, "id -un"), f"{pipeline.login}\n").strip()


@case("P2", "off, Graph is never asked, and no token for it")
def off(ground: Ground) -> str:
    with ground.fresh("graph-off") as site:
        before = site.count("graph")
        admitted(site.ssh(ground.newcomer(), "true"))
        site.tool("doctor")
        equal(site.count("graph"), before, "questions to Graph")
        require(not any("graph" in token["audience"] for token in told(site, "status")["tokens"]), "a token for Graph")
    return "not asked"
