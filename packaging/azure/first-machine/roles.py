# SPDX-License-Identifier: Apache-2.0
"""The role question, as the product asks it and with each hint alone, to each source."""

from __future__ import annotations

from machine import Answer, Machine
from report import ROLE_SERVICE, Report

HINTS: dict[str, dict[str, object]] = {
    "no hint": {}, "retrieve hint": {"xms-pasrp-retrievegroupmemberships": True},
    "claims hint": {"_claim_names": '{"groups":"src1"}'},
}
HINTS["both hints"] = {**HINTS["retrieve hint"], **HINTS["claims hint"]}


def roles(machine: Machine, people: dict[str, str], report: Report) -> dict[str, dict[str, str]]:
    """The answer of each source to each form of the question, by person."""
    report.section("Roles")
    resource = str(machine.compute.get("resourceId", ""))
    kind = "HybridCompute/machines" if machine.arc else "Compute/virtualMachines"
    actions = [{"Id": f"Microsoft.{kind}/{name}/action", "IsDataAction": True} for name in ("login", "loginAsAdmin")]
    hosts = {"pas": (machine.role_service, machine.token(ROLE_SERVICE)),
             "arm": (machine.resource_manager, machine.token(machine.resource_manager))}
    said: dict[str, dict[str, str]] = {}
    for person, object_id in people.items():
        rows = said[person] = {}
        checked = machine.tool("check", person, "--object-id", object_id) or {}
        for answer in checked.get("answers", []):
            rows[answer["checker"]] = answer.get("role") or f"no answer: {answer.get('text')}"
        rows["combined"] = f"{checked.get('role')}, {checked.get('confirmation')}"
        for name, (host, token) in hosts.items():
            for hint, attributes in HINTS.items() if token else ():
                body = {"Subject": {"Attributes": {"ObjectId": object_id, **attributes}}, "Actions": actions,
                        "Resource": {"Id": resource}}
                url = f"{host}{resource}/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview"
                answer = machine.ask(url, body, Authorization=f"Bearer {token}", Content_Type="application/json")
                rows[f"{name}, {hint}"] = decisions(answer)
        report.add(f"- {person}")
        for source, words in rows.items():
            report.add(f"    - {source}: {words}")
    return said


def decisions(answer: Answer) -> str:
    document = answer.json()
    found = document.get("value") if isinstance(document, dict) else document
    if answer.status != 200 or not isinstance(found, list):
        return f"status {answer.status} {answer.body[:200].decode(errors='replace')}"
    return ", ".join(f"{e.get('accessDecision')}" + (" with a deny assignment" if e.get("denyAssignment") else "")
                     + f" ({e.get('timeToLiveInMs')} ms)" for e in found if isinstance(e, dict))
