# SPDX-License-Identifier: Apache-2.0
"""P1 and P2: each access checker alone gives the same roles; if one stands in for another, or a right is missing, that is
reported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from case import case
from environment import Environment, Host
from simulator import contoso
from testbed.checks import admitted, equal, refused, require

VM = "Microsoft.Compute/virtualMachines"
CHECKERS = ("pas", "arm", "arm-roleassignments")
# Role definitions that are not built in: the actions that they give, and those that they exclude.
DEFINED: dict[str, dict[str, list[str]]] = {
    "Everything of machines": {"data_actions": [f"{VM}/*"]},
    "All but administrators": {"data_actions": ["*"], "not_data_actions": ["*/LOGINASADMIN/action"]},
    "All but sign-in": {"data_actions": ["*"], "not_data_actions": [f"{VM}/login/action"]},
    "Sign-in by wildcard": {"data_actions": ["microsoft.*/virtualMachines/LOGIN/*"]},
}


@dataclass(frozen=True)
class Held:
    """Assignments (role, scope, and other arguments of the control's `assign`), and the role that results; none: refused."""

    assignments: tuple[tuple[str, str, dict[str, Any]], ...]
    role: str


def held(role: str, *assignments: tuple[str, str, dict[str, Any]]) -> Held:
    return Held(assignments, role)


TABLE = (
    held("administrator", ("Everything of machines", "machine", {})),
    held("user", ("All but administrators", "machine", {})),
    held("", ("All but sign-in", "machine", {})),
    held("user", ("Sign-in by wildcard", "resource-group", {})),
    held("", (contoso.USER, "machine", {"condition": "@Resource[x] StringEquals 'y'"})),
    held("user", (contoso.ADMINISTRATOR, "machine", {"condition": "@Resource[x] StringEquals 'y'"}),
         (contoso.USER, "management-group", {})),
    held("", (contoso.ADMINISTRATOR, "subscription", {}), (contoso.USER, "machine", {"deny": True})),
    held("user", (contoso.ADMINISTRATOR, "subscription", {}), ("Admin action only", "resource-group", {"deny": True})),
    held("administrator", (contoso.USER, "machine", {}), ("Admin action only", "subscription", {})),
    held("", (contoso.ADMINISTRATOR, "arc", {})),  # another machine's
)


def table_holds(env: Environment, checkers: tuple[str, ...]) -> str:
    for name, lists in DEFINED.items():
        env.azure.post("role", name=name, **lists)
    for checker in checkers:
        with env.fresh(checker, settings=f"[Azure]\nAccessCheckers={checker}\n") as host:
            if checker == "arm-roleassignments":
                env.azure.set_fault("pages", "arm", 1)
            for row in TABLE:
                row_holds(env, host, row)
            alice = admitted(host.ssh(env.person("alice"), "id -Gn"))
            require("entra_admins" in alice, f"{checker}: alice by a group in a group: {alice}")
            refused(host.ssh(env.person("olga"), "id"), "role not assigned")
        env.azure.clear_faults()
    return f"{len(TABLE) + 2} rows for {', '.join(checkers)}"


def row_holds(env: Environment, host: Host, row: Held) -> None:
    person = env.newcomer()
    env.withdraw(person)
    for role, scope, more in row.assignments:
        env.azure.assign(env.key_of(person), role, scope, **more)
    outcome = host.ssh(person, "id -Gn")
    if not row.role:
        refused(outcome, "role not assigned")
        return
    groups = admitted(outcome).split()
    equal("entra_admins" in groups, row.role == "administrator", f"{row}: administrator among {groups}")


@case("P1", "role assignments: wildcards, notDataActions, deny assignments, conditions, inheritance, groups, pages")
def role_assignments(env: Environment) -> str:
    return table_holds(env, CHECKERS[2:])


@case("P1", "PAS and ARM give the same roles as the assignments do", deep=True)
def all_agree(env: Environment) -> str:
    return table_holds(env, CHECKERS[:2])


@case("P1", "PAS does not serve: ARM does, status says so, and PAS is asked again when its time has come")
def switching(env: Environment) -> str:
    with env.fresh("switching") as host:
        with env.azure.fault("status", "pas", 404):
            admitted(host.ssh(env.newcomer(), "true"))
            asked = host.count("pas")
            admitted(host.ssh(env.newcomer(), "true"))
            equal(host.count("pas"), asked, "questions to PAS")
            standing = {c["name"]: c["state"] for c in json.loads(host.tool("status", "--json").out)["checkers"]}
            text = host.tool("status").text
            require("404" in text, f"status hides why: {text}")
        host.pass_by(400, wall=False)
        admitted(host.ssh(env.newcomer(), "true"))
        require(host.count("pas") > asked, "PAS is not asked again")
    return json.dumps(standing)


@case("P1",
      "the machine's own missing right: the denial, status and doctor name it with the command; given, it works at once")
def missing_right(env: Environment) -> str:
    with env.fresh("noright", settings="[Azure]\nAccessCheckers=arm\n") as host:
        person = env.newcomer()
        require(env.azure.withdraw("machine") > 0, "the machine had no Reader")
        try:
            mark = host.journal.mark()
            text = refused(host.ssh(person, "id"), "may not ask", "Reader")
            record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
            command = f"az role assignment create --assignee-object-id {contoso.MACHINE_IDENTITY.object_id}"
            for where, seen in (("record", record["ENTRALOGIN_DETAIL"]), ("status", host.tool("status").text),
                                ("doctor", host.tool("doctor").text)):
                require(command in " ".join(seen.split()), f"{where} hides the command: {seen}")
        finally:
            env.azure.assign("machine", "Reader")
        host.pass_by(60, wall=False)
        admitted(host.ssh(person, "true"))
    return text.splitlines()[0]


@case("P1", "a user-assigned identity is used where the administrator names it, and never guessed", deep=True)
def user_assigned(env: Environment) -> str:
    agent = contoso.AGENT_IDENTITY
    with env.azure.fault("no-identity", "token"):
        with env.fresh("guessing") as host:
            refused(host.ssh(env.newcomer(), "id"), "managed identity")
        require(all("client_id" not in r["query"] for r in host.requests("token")), "an identity was guessed")
        with env.fresh("named", settings=f"[Azure]\nClientID={agent.client_id}\nAccessCheckers=arm\n") as host:
            mark = host.journal.mark()
            refused(host.ssh(env.newcomer(), "id"), "may not ask")
            record = host.journal.wait(mark, event="account", decision="deny")
            require(agent.object_id in record["ENTRALOGIN_DETAIL"], f"not that identity: {record}")
            env.azure.assign("agent", "Reader")
            host.pass_by(60, wall=False)
            admitted(host.ssh(env.newcomer(), "true"))
            env.azure.withdraw("agent")
    return "named, it asks; unnamed, there is no identity"


@case("P1", "the application is missing, and ARM drops every connection: refused at once, with what is missing", deep=True)
def nothing_serves(env: Environment) -> str:
    env.azure.set_fault("missing-application", "token")
    env.azure.set_fault("refuse", "arm")
    with env.fresh("dropped") as host:
        slowest = 0.0
        for _ in range(2):
            outcome = host.ssh(env.newcomer(), "id")
            refused(outcome, "Azure Linux VM Sign-In")
            slowest = max(slowest, outcome.milliseconds)
        require(slowest < 6000, f"{slowest:.0f} ms")
        env.azure.clear_faults()
    return f"refused after {slowest:.0f} ms at most"


@case("P12", "what Azure says in a refusal is shown quoted, and is never what the administrator is told to do")
def words(env: Environment) -> str:
    said = "no rights; do rm -rf / #"
    body = json.dumps({"error": {"code": "AuthorizationFailed", "message": said}})
    with env.fresh("words") as host:
        person = env.newcomer()
        with env.azure.fault("refusal", "pas", body), env.azure.fault("refusal", "arm", body):
            refused(host.ssh(person, "id"), "identity may not ask")
            report = json.loads(host.tool("--json", "check", person.login, "--object-id", contoso.object_id(0xB0)).out)
            findings = json.loads(host.tool("--json", "doctor").out)["findings"]
        told = [f for f in findings if "rm -rf" in f["found"]]
        require(bool(told), f"doctor does not show what Azure said: {findings}")
        rows = [*told, *({"found": a.get("text", ""), "remedy": a.get("remedy", "")} for a in report["answers"])]
        for row in rows:
            require("rm -rf" not in row.get("remedy", ""), f"Azure's words as a remedy: {row}")
        require(any("az role assignment create" in f.get("remedy", "") for f in told), f"no command: {told}")
    return told[0]["found"][:60]
