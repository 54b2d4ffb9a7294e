#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the real Azure what its documents leave open, on a machine in Azure where entralogin runs, and prints a report
without secrets. Run it as root; Documentation/how-to/first-azure-machine.md says what to prepare. It only reads."""

from __future__ import annotations

import argparse
import sys

from machine import Machine
from report import Report

from keys import ca_keys, certificate, key_documents
from roles import HINTS, roles


def counted(rows: dict[str, str], name: str) -> str:
    """The hints with which that source gave a role. On an Arc server only entralogin has a token: then entralogin's answer."""
    if f"{name}, no hint" not in rows:
        return f"asked by entralogin alone: {rows.get(name, 'not asked')}"
    return ", ".join(hint for hint in HINTS if rows.get(f"{name}, {hint}", "").startswith("Allowed"))


def settled(
    said: dict[str, dict[str, str]], documents: dict[str, set[str]], handed_out: set[str], ca: str
) -> list[str]:
    """The open points of Documentation/azure.md, each with what was seen."""
    lines = []
    for name in ("pas", "arm"):
        direct = said.get("direct", {})
        lines.append(f"{name} takes the question: {counted(direct, name) or direct.get(f'{name}, no hint')}")
        lines += [f"{name} counts the {person} assignment with: {counted(said[person], name) or 'none of them'}"
                  for person in ("group", "nested") if person in said]
    for person in ("group", "nested"):
        if person in said:
            seen = said[person].get("arm-roleassignments", "not asked")
            lines.append(f"role assignments count the {person} assignment: {seen}")
    if "disabled" in said:
        rows = [f"{source}: {words}" for source, words in said["disabled"].items() if "hint" not in source]
        lines.append(f"a disabled user: {'; '.join(rows)}")
    lines.append(f"both key documents have the same keys: {documents['tenant'] == documents['common']}")
    known = handed_out & (documents["tenant"] | documents["common"])
    lines.append(f"login/ca_keys has keys of the documents: {len(known)} of {len(handed_out)}")
    if ca:
        where = [name for name, keys in (*documents.items(), ("login/ca_keys", handed_out)) if ca in keys]
        lines.append(f"the certificate's CA stands in: {', '.join(where) or 'none of them'}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="first-machine", description=__doc__)
    for name, text in (
        ("direct", "holds a login role by an assignment of their own"), ("group", "holds it through a group"),
        ("nested", "holds it through a group in a group"), ("disabled", "holds it and is blocked in Entra"),
    ):
        parser.add_argument(f"--{name}", metavar="OBJECT-ID", help=f"a user who {text}")
    parser.add_argument("--certificate", metavar="FILE", help="made by: az ssh cert")
    given = parser.parse_args()
    report = Report()
    machine = Machine(report)
    machine.learn()
    people = {name: oid for name in ("direct", "group", "nested", "disabled") if (oid := getattr(given, name))}
    for name, object_id in people.items():
        report.hide(object_id, name)
    report.lines.append("# What this machine saw of Azure")
    report.section("Machine")
    status = machine.tool("status") or {}
    kind = "Arc" if machine.arc else "virtual machine"
    cloud, resource = machine.compute.get("azEnvironment"), machine.compute.get("resourceId")
    report.add(f"- cloud {cloud!r}, {kind}, resource {resource}")
    report.add(f"- entralogin {status.get('version')}, ready: {status.get('isReady')}")
    tenant = machine.metadata("/metadata/identity/info?api-version=2018-02-01")
    report.add(f"- identity/info: status {tenant.status}")
    documents = key_documents(machine, report)
    handed_out = ca_keys(machine, report)
    ca = certificate(given.certificate, machine, report) if given.certificate else ""
    said = roles(machine, people, report)
    report.section("What this settles")
    for line in settled(said, documents, handed_out, ca):
        report.add(f"- {line}")
    print("\n".join(report.lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
