# SPDX-License-Identifier: Apache-2.0
"""P16: the program that reports what the real Azure answers, run against the simulator, whose answers are known."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bed import Person
from bed.checks import equal, require
from bed.installed import REPOSITORY
from case import case
from ground import Ground, Site
from hybrid import arc_server
from simulator import contoso

PROGRAM = REPOSITORY / "packaging/azure/first-machine"
# Which hints checkaccess honours (none, either, both), and what the report must say about nested assignments.
MODES = {(): "none of them", ("claims",): "claims hint, both hints", ("retrieve",): "retrieve hint, both hints",
         ("retrieve", "claims"): "retrieve hint, claims hint, both hints"}
ALL = "no hint, retrieve hint, claims hint, both hints"


def reported(ground: Ground, site: Site, *options: str) -> str:
    """The report. The private root has no Python: the program runs outside, and calls the tool inside."""
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder) / "entraloginctl"
        argv = site.machine.argv(["/usr/bin/entraloginctl"])
        wrapper.write_text(f"#!/bin/sh\nexec {' '.join(argv)} \"$@\"\n")
        wrapper.chmod(0o755)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1",
                       "SSL_CERT_FILE": str(ground.bed.authority)}
        done = subprocess.run([sys.executable, str(PROGRAM), *options], env=environment, capture_output=True, text=True,
                              timeout=120, check=False)
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def line(report: str, beginning: str) -> str:
    found = [one for one in report.splitlines() if one.strip().startswith(f"- {beginning}: ")]
    require(len(found) == 1, f"{len(found)} lines {beginning!r} in:\n{report}")
    return found[0].split(": ", 1)[1]


def hides(ground: Ground, text: str, *people: Person) -> None:
    ids = [ground.bed.directory.principals[ground.key_of(person)].object_id for person in people]
    secrets = [*ids, *(person.login for person in people), contoso.TENANT, contoso.SUBSCRIPTION_ID,
               *ground.azure.issued_tokens()]
    found = [one for one in secrets if one.lower() in text.lower()]
    equal(found, [], "secrets and names in the report")


@case("P16", "the first machine's report: a direct, a group's and a nested group's assignment of each source alone, "
      "keys, a certificate, and no secret", deep=True)
def report(ground: Ground) -> str:
    direct, group, disabled = ground.newcomer(), ground.newcomer(), ground.newcomer()
    nested = ground.person("alice")
    people = {"direct": direct, "group": group, "nested": nested, "disabled": disabled}
    ids = {name: ground.bed.directory.principals[ground.key_of(person)].object_id for name, person in people.items()}
    assert direct.certificate is not None
    options = [word for name, oid in ids.items() for word in (f"--{name}", oid)]
    with ground.fresh("firstmachine") as site:
        ground.azure.withdraw(ground.key_of(group))
        ground.azure.post("join", who=ground.key_of(group), group="platform")
        ground.azure.post("disable", who=ground.key_of(disabled))
        try:
            for hints, counted in MODES.items():
                ground.azure.post("groups", hints=list(hints))
                text = reported(ground, site, *options, "--certificate", str(direct.certificate))
                for source in ("pas", "arm"):
                    equal(line(text, f"{source} takes the question"), ALL, source)
                    for name in ("group", "nested"):
                        equal(line(text, f"{source} counts the {name} assignment with"), counted, f"{source}, {hints}")
                for name in ("group", "nested"):
                    said = line(text, f"role assignments count the {name} assignment")
                    equal(said, "administrator", f"{name}, {hints}")
            equal(line(text, "the certificate's CA stands in"), "tenant, common, login/ca_keys", "the CA")
            require("arm-roleassignments: user" in line(text, "a disabled user"), text)
            require("entralogin: acceptable" in text and "a JSON array of ['str']" in text, text)
            hides(ground, text, *people.values())
        finally:
            ground.azure.post("groups", hints=[])
            ground.azure.post("enable", who=ground.key_of(disabled))
            ground.azure.post("leave", who=ground.key_of(group), group="platform")
            ground.azure.assign(ground.key_of(group), contoso.USER)
    return f"{len(text.splitlines())} lines, four modes"


@case("P16", "the report of an Arc server: entralogin's own answers for each source, and no secret", deep=True)
def arc_report(ground: Ground) -> str:
    direct, nested = ground.newcomer(), ground.person("alice")
    ids = {name: ground.bed.directory.principals[ground.key_of(person)].object_id
           for name, person in (("direct", direct), ("nested", nested))}
    assert direct.certificate is not None
    options = [word for name, oid in ids.items() for word in (f"--{name}", oid)]
    with arc_server(ground, "arcfirstmachine") as site, ground.azure.without("imds"):
        site.begin()
        site.stamped()
        ground.azure.assign(ground.key_of(direct), contoso.USER, "arc")
        text = reported(ground, site, *options, "--certificate", str(direct.certificate))
        require(", Arc, resource " in text and ", ready: True" in text, text)
        own = "asked by entralogin alone: "
        for source in ("pas", "arm"):
            equal(line(text, f"{source} takes the question"), f"{own}user", source)
            equal(line(text, f"{source} counts the nested assignment with"), f"{own}none", source)
        equal(line(text, "role assignments count the nested assignment"), "administrator", "role assignments")
        equal(line(text, "the certificate's CA stands in"), "tenant, common", "the CA: Arc hands out no keys")
        require("entralogin: acceptable" in text, text)
        hides(ground, text, direct, nested)
    return f"{len(text.splitlines())} lines"
