# SPDX-License-Identifier: Apache-2.0
"""P16: the program that reports what the real Azure answers, run against the simulator, whose answers are known."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from case import case
from environment import Environment, Host
from hybrid import arc_server
from simulator import contoso
from testbed import Person
from testbed.checks import equal, require
from testbed.installed import REPOSITORY

PROGRAM = REPOSITORY / "packaging/azure/first-machine"
# Which hints checkaccess honours (none, either, both), and what the report must say about nested assignments.
MODES = {(): "none of them", ("claims",): "claims hint, both hints", ("retrieve",): "retrieve hint, both hints",
         ("retrieve", "claims"): "retrieve hint, claims hint, both hints"}
ALL = "no hint, retrieve hint, claims hint, both hints"


def reported(env: Environment, host: Host, *options: str) -> str:
    """The report. The private root has no Python: the program runs outside, and calls the tool inside."""
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder) / "entraloginctl"
        argv = host.machine.argv(["/usr/bin/entraloginctl"])
        wrapper.write_text(f"#!/bin/sh\nexec {' '.join(argv)} \"$@\"\n")
        wrapper.chmod(0o755)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1",
                       "SSL_CERT_FILE": str(env.testbed.authority)}
        done = subprocess.run([sys.executable, str(PROGRAM), *options], env=environment, capture_output=True, text=True,
                              timeout=120, check=False)
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def line(report: str, beginning: str) -> str:
    found = [one for one in report.splitlines() if one.strip().startswith(f"- {beginning}: ")]
    require(len(found) == 1, f"{len(found)} lines {beginning!r} in:\n{report}")
    return found[0].split(": ", 1)[1]


def hides(env: Environment, text: str, *people: Person) -> None:
    ids = [env.testbed.directory.principals[env.key_of(person)].object_id for person in people]
    secrets = [*ids, *(person.login for person in people), contoso.TENANT, contoso.SUBSCRIPTION_ID,
               *env.azure.issued_tokens()]
    found = [one for one in secrets if one.lower() in text.lower()]
    equal(found, [], "secrets and names in the report")


@case("P16", "the first machine's report: a direct, a group's and a nested group's assignment of each source alone, "
      "keys, a certificate, and no secret", deep=True)
def report(env: Environment) -> str:
    direct, group, disabled = env.newcomer(), env.newcomer(), env.newcomer()
    nested = env.person("alice")
    people = {"direct": direct, "group": group, "nested": nested, "disabled": disabled}
    ids = {name: env.testbed.directory.principals[env.key_of(person)].object_id for name, person in people.items()}
    assert direct.certificate is not None
    options = [word for name, oid in ids.items() for word in (f"--{name}", oid)]
    with env.fresh("firstmachine") as host:
        env.azure.withdraw(env.key_of(group))
        env.azure.post("join", who=env.key_of(group), group="platform")
        env.azure.post("disable", who=env.key_of(disabled))
        try:
            for hints, counted in MODES.items():
                env.azure.post("groups", hints=list(hints))
                text = reported(env, host, *options, "--certificate", str(direct.certificate))
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
            hides(env, text, *people.values())
        finally:
            env.azure.post("groups", hints=[])
            env.azure.post("enable", who=env.key_of(disabled))
            env.azure.post("leave", who=env.key_of(group), group="platform")
            env.azure.assign(env.key_of(group), contoso.USER)
    return f"{len(text.splitlines())} lines, four modes"


@case("P16", "the report of an Arc server: entralogin's own answers for each source, and no secret", deep=True)
def arc_report(env: Environment) -> str:
    direct, nested = env.newcomer(), env.person("alice")
    ids = {name: env.testbed.directory.principals[env.key_of(person)].object_id
           for name, person in (("direct", direct), ("nested", nested))}
    assert direct.certificate is not None
    options = [word for name, oid in ids.items() for word in (f"--{name}", oid)]
    with arc_server(env, "arcfirstmachine") as host, env.azure.without("imds"):
        host.begin()
        host.stamped()
        env.azure.assign(env.key_of(direct), contoso.USER, "arc")
        text = reported(env, host, *options, "--certificate", str(direct.certificate))
        require(", Arc, resource " in text and ", ready: True" in text, text)
        own = "asked by entralogin alone: "
        for source in ("pas", "arm"):
            equal(line(text, f"{source} takes the question"), f"{own}user", source)
            equal(line(text, f"{source} counts the nested assignment with"), f"{own}none", source)
        equal(line(text, "role assignments count the nested assignment"), "administrator", "role assignments")
        equal(line(text, "the certificate's CA stands in"), "tenant, common", "the CA: Arc hands out no keys")
        require("entralogin: acceptable" in text, text)
        hides(env, text, direct, nested)
    return f"{len(text.splitlines())} lines"
