# SPDX-License-Identifier: Apache-2.0
"""P1 and P2: each access checker alone gives the same roles; if one stands in for another, or a right is missing, that is
reported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bed.checks import admitted, equal, refused, require
from case import case
from ground import Ground, Site
from simulator import contoso

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


def table_holds(ground: Ground, checkers: tuple[str, ...]) -> str:
    for name, lists in DEFINED.items():
        ground.azure.post("role", name=name, **lists)
    for checker in checkers:
        with ground.fresh(checker, settings=f"[Azure]\nAccessCheckers={checker}\n") as site:
            if checker == "arm-roleassignments":
                ground.azure.set_fault("pages", "arm", 1)
            for row in TABLE:
                row_holds(ground, site, row)
            alice = admitted(site.ssh(ground.person("alice"), "id -Gn"))
            require("entra_admins" in alice, f"{checker}: alice by a group in a group: {alice}")
            refused(site.ssh(ground.person("olga"), "id"), "role not assigned")
        ground.azure.clear_faults()
    return f"{len(TABLE) + 2} rows for {', '.join(checkers)}"


def row_holds(ground: Ground, site: Site, row: Held) -> None:
    person = ground.newcomer()
    ground.withdraw(person)
    for role, scope, more in row.assignments:
        ground.azure.assign(ground.key_of(person), role, scope, **more)
    outcome = site.ssh(person, "id -Gn")
    if not row.role:
        refused(outcome, "role not assigned")
        return
    groups = admitted(outcome).split()
    equal("entra_admins" in groups, row.role == "administrator", f"{row}: administrator among {groups}")


@case("P1", "role assignments: wildcards, notDataActions, deny assignments, conditions, inheritance, groups, pages")
def role_assignments(ground: Ground) -> str:
    return table_holds(ground, CHECKERS[2:])


@case("P1", "PAS and ARM give the same roles as the assignments do", deep=True)
def all_agree(ground: Ground) -> str:
    return table_holds(ground, CHECKERS[:2])


@case("P1", "PAS does not serve: ARM does, status says so, and PAS is asked again when its time has come")
def switching(ground: Ground) -> str:
    with ground.fresh("switching") as site:
        with ground.azure.fault("status", "pas", 404):
            admitted(site.ssh(ground.newcomer(), "true"))
            asked = site.count("pas")
            admitted(site.ssh(ground.newcomer(), "true"))
            equal(site.count("pas"), asked, "questions to PAS")
            standing = {c["name"]: c["state"] for c in json.loads(site.tool("status", "--json").out)["checkers"]}
            text = site.tool("status").text
            require("404" in text, f"status hides why: {text}")
        site.pass_by(400, wall=False)
        admitted(site.ssh(ground.newcomer(), "true"))
        require(site.count("pas") > asked, "PAS is not asked again")
    return json.dumps(standing)


@case("P1",
      "the machine's own missing right: the denial, status and doctor name it with the command; given, it works at once")
def missing_right(ground: Ground) -> str:
    with ground.fresh("noright", settings="[Azure]\nAccessCheckers=arm\n") as site:
        person = ground.newcomer()
        require(ground.azure.withdraw("machine") > 0, "the machine had no Reader")
        try:
            mark = site.journal.mark()
            text = refused(site.ssh(person, "id"), "may not ask", "Reader")
            record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
            command = f"az role assignment create --assignee-object-id {contoso.MACHINE_IDENTITY.object_id}"
            for where, seen in (("record", record["ENTRALOGIN_DETAIL"]), ("status", site.tool("status").text),
                                ("doctor", site.tool("doctor").text)):
                require(command in " ".join(seen.split()), f"{where} hides the command: {seen}")
        finally:
            ground.azure.assign("machine", "Reader")
        site.pass_by(60, wall=False)
        admitted(site.ssh(person, "true"))
    return text.splitlines()[0]


@case("P1", "a user-assigned identity is used where the administrator names it, and never guessed", deep=True)
def user_assigned(ground: Ground) -> str:
    agent = contoso.AGENT_IDENTITY
    with ground.azure.fault("no-identity", "token"):
        with ground.fresh("guessing") as site:
            refused(site.ssh(ground.newcomer(), "id"), "managed identity")
        require(all("client_id" not in r["query"] for r in site.requests("token")), "an identity was guessed")
        with ground.fresh("named", settings=f"[Azure]\nClientID={agent.client_id}\nAccessCheckers=arm\n") as site:
            mark = site.journal.mark()
            refused(site.ssh(ground.newcomer(), "id"), "may not ask")
            record = site.journal.wait(mark, event="account", decision="deny")
            require(agent.object_id in record["ENTRALOGIN_DETAIL"], f"not that identity: {record}")
            ground.azure.assign("agent", "Reader")
            site.pass_by(60, wall=False)
            admitted(site.ssh(ground.newcomer(), "true"))
            ground.azure.withdraw("agent")
    return "named, it asks; unnamed, there is no identity"


@case("P1", "the application is missing, and ARM drops every connection: refused at once, with what is missing", deep=True)
def nothing_serves(ground: Ground) -> str:
    ground.azure.set_fault("missing-application", "token")
    ground.azure.set_fault("refuse", "arm")
    with ground.fresh("dropped") as site:
        slowest = 0.0
        for _ in range(2):
            outcome = site.ssh(ground.newcomer(), "id")
            refused(outcome, "Azure Linux VM Sign-In")
            slowest = max(slowest, outcome.milliseconds)
        require(slowest < 6000, f"{slowest:.0f} ms")
        ground.azure.clear_faults()
    return f"refused after {slowest:.0f} ms at most"


@case("P12", "what Azure says in a refusal is shown quoted, and is never what the administrator is told to do")
def words(ground: Ground) -> str:
    said = "no rights; do rm -rf / #"
    body = json.dumps({"error": {"code": "AuthorizationFailed", "message": said}})
    with ground.fresh("words") as site:
        person = ground.newcomer()
        with ground.azure.fault("refusal", "pas", body), ground.azure.fault("refusal", "arm", body):
            refused(site.ssh(person, "id"), "identity may not ask")
            report = json.loads(site.tool("--json", "check", person.login, "--object-id", contoso.object_id(0xB0)).out)
            findings = json.loads(site.tool("--json", "doctor").out)["findings"]
        told = [f for f in findings if "rm -rf" in f["found"]]
        require(bool(told), f"doctor does not show what Azure said: {findings}")
        rows = [*told, *({"found": a.get("text", ""), "remedy": a.get("remedy", "")} for a in report["answers"])]
        for row in rows:
            require("rm -rf" not in row.get("remedy", ""), f"Azure's words as a remedy: {row}")
        require(any("az role assignment create" in f.get("remedy", "") for f in told), f"no command: {told}")
    return told[0]["found"][:60]
