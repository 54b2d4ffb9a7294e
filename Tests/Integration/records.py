# SPDX-License-Identifier: Apache-2.0
"""P12 and P15: each attempt leaves one record with its reason and id; no log holds a secret."""

from __future__ import annotations

import re

from case import case
from environment import Environment, Host
from simulator import contoso
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.journal import Record

GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ON_SCREEN = re.compile(rf"Correlation id ({GUID})")


def decisions(host: Host, mark: int, person: Person) -> list[Record]:
    return [r for r in host.journal.since(mark, user=person.login) if "ENTRALOGIN_DECISION" in r]


@case("P15", "a refused sign-in leaves one refusal; the id on the screen is the record's and the one at Azure")
def refusal(env: Environment) -> str:
    host, carol = env.vm, env.person("carol")
    host.flush()
    mark, asked = host.journal.mark(), len(host.requests("pas"))
    text = refused(host.ssh(carol, "id"), contoso.USER, contoso.MACHINE)
    record = host.journal.wait(mark, event="account", user=carol.login, decision="deny")
    shown = ON_SCREEN.search(text)
    require(shown is not None, f"no id on the screen: {text}")
    assert shown is not None
    equal(record["ENTRALOGIN_CORRELATION_ID"], shown[1], "the record's id")
    equal(record["ENTRALOGIN_REASON"], "role-not-assigned", "reason")
    equal(record["ENTRALOGIN_OBJECT_ID"], env.testbed.directory.principals["carol"].object_id, "object id")
    require(re.fullmatch(r"[0-9]+", record.get("ENTRALOGIN_LATENCY_USEC", "")) is not None, f"latency: {record}")
    require("MESSAGE_ID" in record and record.get("SYSLOG_IDENTIFIER") == "entralogind", f"{record}")
    ids = [entry.get("correlation_id", entry.get("correlation", "")) for entry in host.requests("pas")[asked:]]
    require(shown[1] in ids, f"PAS was asked with {ids}")
    refusals = [r for r in decisions(host, mark, carol) if r["ENTRALOGIN_DECISION"] == "deny"]
    equal(len(refusals), 1, f"refusals {refusals}")
    return shown[1]


@case("P15", "a good sign-in leaves one account decision and one session, with one id, whatever the helper was called")
def admission(env: Environment) -> str:
    host, person = env.vm, env.newcomer()
    mark = host.journal.mark()
    admitted(host.ssh(person, "true"))
    opened = host.journal.wait(mark, event="session-opened", user=person.login)
    accounts = host.journal.since(mark, event="account", user=person.login)
    equal([r.get("ENTRALOGIN_DECISION") for r in accounts], ["allow"], "account decisions")
    equal(len(host.journal.since(mark, event="session-opened", user=person.login)), 1, "sessions")
    equal(opened.get("ENTRALOGIN_CORRELATION_ID"), accounts[0]["ENTRALOGIN_CORRELATION_ID"], "ids")
    enrolled = host.journal.since(mark, event="enrolled", user=person.login)
    equal(len(enrolled), 1, "enrolments")
    return f"{len(decisions(host, mark, person))} decisions, one enrolment"


@case("P15", "a bad certificate leaves a record with its reason, and asks Azure nothing")
def bad_certificates(env: Environment) -> str:
    testbed, seen = env.testbed, []
    with env.fresh("badcertificates") as host:
        for person, reason in ((testbed.forged("dave", tenant_id=contoso.OTHER_TENANT), "wrong-tenant"),
                               (testbed.forged("erin", omitted=frozenset({"oid"})), "certificate"),
                               (testbed.forged("erin", key_id=f"{contoso.object_id(7)}@{contoso.TENANT}"), "certificate")):
            mark = host.journal.mark()
            refused(host.ssh(person, "id"))
            record = host.journal.wait(mark, event="certificate", user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], reason, "reason")
            seen.append(record["MESSAGE"])
        equal(host.questions(), 0, "questions to Azure")
    return f"{len(seen)} records, for example: {seen[0]}"


@case("P15", "each sudo decision leaves a record that names service and person")
def sudo_record(env: Environment) -> str:
    host, alice = env.vm, env.person("alice")
    mark = host.journal.mark()
    admitted(host.ssh(alice, "sudo -n true"))
    record = host.journal.wait(mark, event="account", user=alice.login, service="sudo")
    equal(record["ENTRALOGIN_DECISION"], "allow", "decision")
    require("ENTRALOGIN_CORRELATION_ID" in record, f"{record}")
    return record["MESSAGE"]


def secrets(env: Environment) -> dict[str, str]:
    """Texts that must be in no log: how tokens begin, parts of every issued token, pieces of every key and certificate."""
    found = {"a token": "eyJ0eXAi", "a bearer header": "Bearer ey", "a private key": "PRIVATE KEY-----",
             "a refresh token": "refresh."}
    found |= {f"token {number}": part for number, token in enumerate(env.azure.issued_tokens())
              for part in token.split(".")[1:] if part}  # an unsigned token has an empty part
    for path in sorted((env.testbed.scratch / "people").rglob("*-cert.pub")):
        body = path.read_text().split()[1]
        # A part of the signature: other certificates have the same text before it.
        found[f"the certificate {path.parent.name}"] = body[-120:-60]
    for path in sorted(env.testbed.keys.rglob("*")):
        if path.is_file() and not path.suffix and "PRIVATE KEY" in path.read_text(errors="replace"):
            lines = path.read_text().splitlines()
            found[f"the key {path.name}"] = lines[len(lines) // 2]
    return found


@case("P12", "no log of this run holds a token, a certificate or a key", every_part=True)
def no_secrets(env: Environment) -> str:
    admitted(env.vm.ssh(env.person("alice"), "true"))
    logs = {}
    for name, host in env.hosts.items():
        logs[f"journal of {name}"] = host.journal.text()
        logs[f"standard error on {name}"] = host.service.output()
        log = host.machine.folder / "changes/var/log/sshd.log"
        logs[f"sshd's log on {name}"] = log.read_text(errors="replace") if log.exists() else ""
    looked_for = secrets(env)
    nonces = {f"the nonce of {p.parent.name}'s certificate": p.read_text().split()[1][56:88]
              for p in sorted((env.testbed.scratch / "people").rglob("*-cert.pub"))}
    require(sum(map(len, logs.values())) > 1000 and len(looked_for) > 5, "there is nothing to look through")
    for where, text in logs.items():
        # sshd itself logs the arguments of a helper that failed: the beginning of the certificate, but not its end.
        for what, secret in (looked_for if where.startswith("sshd") else looked_for | nonces).items():
            require(secret not in text, f"{what} is in the {where}")
    return f"{len(looked_for)} secrets, {len(logs)} logs, {sum(map(len, logs.values()))} characters"
