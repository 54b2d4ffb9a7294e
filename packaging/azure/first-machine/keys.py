# SPDX-License-Identifier: Apache-2.0
"""The keys that sign certificates: the two key documents, those from the metadata service, and a certificate."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess

from machine import Machine
from report import Report


def fingerprint(key: dict[str, str]) -> str:
    """The fingerprint of a JSON Web Key, as ssh-keygen prints it."""
    def number(text: str) -> bytes:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).lstrip(b"\0")
        return b"\0" + raw if raw[:1] >= b"\x80" else raw

    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-rsa", number(key["e"]), number(key["n"])))
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def key_documents(machine: Machine, report: Report) -> dict[str, set[str]]:
    report.section("Key documents")
    found: dict[str, set[str]] = {}
    for name, path in (("tenant", f"{machine.tenant}/discovery/v2.0/keys"), ("common", "common/discovery/keys")):
        answer = machine.ask(f"{machine.login}/{path}")
        keys = [key for key in (answer.json() or {}).get("keys", []) if key.get("kty") == "RSA"]
        found[name] = {fingerprint(key) for key in keys}
        kept = answer.headers.get("cache-control")
        fields = sorted({field for key in keys for field in key})
        report.add(f"- {name}: status {answer.status}, {len(keys)} RSA keys, Cache-Control {kept!r}, fields {fields}")
        report.lines += [f"    - {one}" for one in sorted(found[name])]
    return found


def ca_keys(machine: Machine, report: Report) -> set[str]:
    report.section("login/ca_keys")
    answer = machine.metadata("/metadata/login/ca_keys?api-version=2019-03-11")
    document, text = answer.json(), answer.body.decode(errors="replace")
    elements = document if isinstance(document, list) else text.split("\n")
    if isinstance(document, dict):
        elements = document.get("keys", [])
    marks: set[str] = set()
    for element in elements:
        try:
            if isinstance(element, dict):
                marks.add(fingerprint(element))
            elif str(element).startswith("ssh-rsa "):
                blob = base64.b64decode(str(element).split()[1])
                marks.add("SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("="))
        except (KeyError, ValueError, IndexError):
            pass
    form = (f"a JSON array of {sorted({type(e).__name__ for e in document})}" if isinstance(document, list)
            else f"a JSON object with {sorted(document)}" if isinstance(document, dict) else "no JSON")
    kind = answer.headers.get("content-type")
    report.add(f"- status {answer.status}, {len(answer.body)} bytes, {kind!r}, {form}, {len(marks)} keys")
    report.lines += [f"    - {one}" for one in sorted(marks)]
    if answer.status == 200 and not marks:
        report.add(f"- it begins: {text[:300]!r}")
    return marks


def certificate(path: str, machine: Machine, report: Report) -> str:
    """Reports the certificate; returns its CA's fingerprint."""
    report.section("Certificate")
    shown = subprocess.run(["ssh-keygen", "-L", "-f", path], capture_output=True, text=True, check=False).stdout
    for line in shown.splitlines()[1:]:
        # ssh-keygen prints extensions that it does not know in hexadecimal, also the display name.
        report.add("    " + re.sub(r"UNKNOWN .*", "(a value)", line.strip()))
    with open(path, encoding="ascii") as file:
        seen = machine.tool("check-certificate", "-", given=file.read()) or {}
    report.add(f"- entralogin: {'acceptable' if seen.get('isAcceptable') else seen.get('text')}")
    ca = re.search(r"Signing CA: \S+ (SHA256:\S+)", shown)
    return ca[1] if ca else ""
