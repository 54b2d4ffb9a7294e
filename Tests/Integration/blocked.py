# SPDX-License-Identifier: Apache-2.0
"""P1 and P2: an account that is disabled in Entra, or deleted, with `CheckAccountEnabled=yes`. PAS still says yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from case import case
from environment import Environment, Host
from roles import ADMINS, administrator, sudo_refused_after
from testbed import Person
from testbed.checks import admitted, equal, refused, require

ON = "[Azure]\nCheckAccountEnabled=yes\n"
PERMISSION = "User.Read.All"


@contextmanager
def checking(env: Environment, name: str, *permissions: str) -> Iterator[Host]:
    """A machine that asks Graph, whose identity holds these permissions."""
    env.azure.post("graph", permissions=list(permissions))
    try:
        with env.fresh(name, settings=ON) as host:
            yield host
    finally:
        env.azure.post("graph", permissions=[])


def block(env: Environment, person: Person, how: str) -> None:
    env.azure.post(how, who=env.key_of(person), **({"seen_by_pas": False} if how == "disable" else {}))


def told(host: Host, *arguments: str) -> Any:
    return json.loads(host.tool(*arguments, "--json").out)


@case("P2", "a disabled or deleted account is refused at sign-in and by sudo in an open session, while PAS says yes")
def blocked(env: Environment) -> str:
    seen = []
    with checking(env, "blocked", PERMISSION) as host:
        for how, back, words in (("disable", "enable", "disabled in Entra"), ("delete", "restore", "no such account")):
            person = administrator(env)
            seen.append(sudo_refused_after(env, host, person, partial(block, env, person, how)))
            mark = host.journal.mark()
            refused(host.ssh(person, "id"), words, "Correlation id")
            record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "account-disabled", how)
            host.journal.wait(0, event="withdrawn", user=person.login, reason="account-disabled")
            answer = told(host, "check", person.login)
            equal((answer["role"], answer["account"]["state"]), ("none", "disabled" if how == "disable" else "absent"), "check")
            require("administrator" in {row["role"] for row in answer["answers"]}, f"no checker says yes: {answer}")
            newcomer = env.newcomer()
            block(env, newcomer, how)
            # A name that never signed in could be a service principal, about which this identity may not ask.
            refused(host.ssh(newcomer, "id"), words if how == "disable" else "may not ask Entra")
            require(not host.enrolled(newcomer.login), f"{newcomer.login} is enrolled")
            block(env, person, back)
            host.pass_by(61)  # the no is not fresh any more
            require(ADMINS in admitted(host.ssh(person, "id -Gn")).split(), f"{back}: no administrator")
    return seen[-1]


@case("P1", "Graph away: who was in goes on within the grace and not after it, nobody new gets in, and a no stays a no")
def graph_away(env: Environment) -> str:
    with checking(env, "graph-away", PERMISSION) as host:
        known, gone, new = env.newcomer(), env.newcomer(), env.newcomer()
        for person in (known, gone):
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        block(env, gone, "disable")
        host.pass_by(400, wall=False)  # too old for a sign-in, young enough for the grace
        refused(host.ssh(gone, "id"), "disabled in Entra")
        with env.azure.fault("refuse", "graph"):
            admitted(host.ssh(known, "id -un"), f"{known.login}\n")
            refused(host.ssh(gone, "id"), "disabled in Entra")
            text = refused(host.ssh(new, "id"), "Microsoft Graph could not be reached")
            host.pass_by(3700, wall=False)
            refused(host.ssh(known, "id"), "Microsoft Graph could not be reached")
        host.pass_by(40, wall=False)  # for half a minute the daemon does not retry a host that it could not reach
        for person in (known, new):
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        block(env, gone, "enable")
    return text.splitlines()[0]


@case("P1", "Graph's throttling, errors, redirects, nonsense and answers about others let nobody in, each with its own reason")
def graph_faults(env: Environment) -> str:
    faults: tuple[tuple[str, Any, str], ...] = (
        ("server-error", 500, "unreachable"), ("wrong-json", None, "malformed-answer"), ("huge-body", 1, "malformed-answer"),
        ("redirect", None, "malformed-answer"), ("other-object", None, "malformed-answer"), ("status", 404, "malformed-answer"),
        ("status", 403, "directory-refused"), ("throttle", 30, "throttled"),
    )
    with checking(env, "graph-faults", PERMISSION) as host:
        for name, value, reason in faults:
            person = env.newcomer()
            mark = host.journal.mark()
            with env.azure.fault(name, "graph", value):
                refused(host.ssh(person, "id"), "Correlation id")
            record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], reason, f"{name} {value}")
            require(not host.enrolled(person.login), f"{name}: {person.login} is enrolled")
    return f"{len(faults)} faults"


@case("P16", "without the permission nobody gets in, and screen, check, status and doctor say which one is missing")
def permission_missing(env: Environment) -> str:
    with checking(env, "permission") as host:
        person = env.newcomer()
        text = refused(host.ssh(person, "id"), "may not ask Entra whether your account is enabled", "entraloginctl doctor")
        finding = next(f for f in told(host, "doctor")["findings"] if f["id"] == "daemon.directory-refused")
        for words in (PERMISSION, "appRoleAssignments", "az rest", "df021288-bdef-4463-88db-98f22de89214"):
            require(words in finding["remedy"], f"the remedy lacks {words}: {finding}")
        equal(told(host, "status")["directory"]["lastErrorCode"], "directory-refused", "status")
        equal(told(host, "check", "x", "--object-id", env.testbed.directory.principals[env.key_of(person)].object_id)
              ["account"]["reason"], "directory-refused", "check")
        env.azure.post("graph", permissions=[PERMISSION])
        host.pass_by(5)  # the pause after a fault
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        require(not any("directory" in f["id"] for f in told(host, "doctor")["findings"]), "doctor still says it")
    return text.splitlines()[0]


@case("P1", "a service principal is no user: it gets in where the machine's identity may read service principals, too")
def service_principal(env: Environment) -> str:
    with checking(env, "principal", PERMISSION) as host:
        pipeline = env.person("svc")
        refused(host.ssh(pipeline, "id"), "may not ask Entra whether your account is enabled")
        require("Application.Read.All" in json.dumps(told(host, "doctor")), "doctor names another permission")
        env.azure.post("graph", permissions=[PERMISSION, "Application.Read.All"])
        host.pass_by(61)
        return admitted(host.ssh(pipeline, "id -un"), f"{pipeline.login}\n").strip()


@case("P2", "off, Graph is never asked, and no token for it")
def off(env: Environment) -> str:
    with env.fresh("graph-off") as host:
        before = host.count("graph")
        admitted(host.ssh(env.newcomer(), "true"))
        host.tool("doctor")
        equal(host.count("graph"), before, "questions to Graph")
        require(not any("graph" in token["audience"] for token in told(host, "status")["tokens"]), "a token for Graph")
    return "not asked"
