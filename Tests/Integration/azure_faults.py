# SPDX-License-Identifier: Apache-2.0
"""P1 and P9: whatever Azure does instead of answering, new users are refused in time, with the reason that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from case import case, cases
from environment import KEYS, Environment, Host
from testbed import Person
from testbed.checks import equal, refused, require
from testbed.machine import wait_for

LIMIT_MS = 19_000  # PAM waits ten seconds, once; the rest is a margin for a busy machine

# Fault, its value, the expected reasons. Each is set at PAS and at ARM, so that neither can answer instead of the other.
QUICK: tuple[tuple[str, Any, set[str]], ...] = (
    ("server-error", 500, {"unreachable"}),
    ("wrong-json", None, {"malformed-answer"}),
    ("wrong-json", '{"error":', {"malformed-answer"}),
    ("wrong-json", "[]", {"malformed-answer"}),
    ("huge-body", 8, {"malformed-answer", "unreachable"}),
    ("redirect", None, {"malformed-answer", "unreachable"}),
    ("twice-action", None, {"malformed-answer"}),
    ("refused-identity", 403, {"identity-may-not-ask"}),
    ("status", 404, {"resource-not-found", "malformed-answer", "unreachable"}),
    ("throttle", 30, {"throttled"}),  # last: the daemon then sends Azure nothing for half a minute
)


# Faults after which the daemon retries until its deadline: eight seconds each.
SLOW: tuple[tuple[str, Any, set[str]], ...] = (
    ("server-error", 503, {"unreachable"}),
    ("cut-body", None, {"unreachable", "malformed-answer"}),
    ("refuse", None, {"unreachable"}),
)


def refused_with(env: Environment, host: Host, fault: str, value: Any, reasons: set[str],
                 endpoints: tuple[str, ...] = ("pas", "arm")) -> float:
    """Requires that a new user with the role is refused while the fault lasts; returns the milliseconds."""
    person = env.newcomer()
    mark = host.journal.mark()
    for endpoint in endpoints:
        env.azure.set_fault(fault, endpoint, value)
    outcome = host.ssh(person, "id")
    env.azure.clear_faults()
    what = f"{fault} {'' if value is None else value}"
    refused(outcome, "Correlation id")
    reason = host.journal.wait(mark, event="account", user=person.login, decision="deny").get("ENTRALOGIN_REASON", "")
    require(reason in reasons, f"{what}: reason {reason!r}, not one of {sorted(reasons)}: {outcome.text}")
    require(outcome.milliseconds < LIMIT_MS, f"{what}: {outcome.milliseconds:.0f} ms")
    require(not host.enrolled(person.login), f"{what}: {person.login} is enrolled")
    return outcome.milliseconds


@case("P1", "an answer that leaves out loginAsAdmin denies it: unconfirmed, an administrator is a user")
def one_action(env: Environment) -> str:
    with env.fresh("one", settings="[Azure]\nConfirmRefusals=no\n") as host:
        person = env.newcomer()
        env.make_administrator(person)
        for endpoint in ("pas", "arm"):
            env.azure.set_fault("one-action", endpoint)
        outcome = host.ssh(person, "id -Gn; sudo -n id -u")
        env.azure.clear_faults()
        equal(outcome.lines()[0].split(), [person.login, "entra_users"], outcome.text)
        require("0" not in outcome.lines(), f"sudo works: {outcome.text}")
    return outcome.lines()[0]


def and_then_admitted(env: Environment, host: Host) -> None:
    """Requires that the next new user can sign in: the faults left nothing behind."""
    person: Person = env.newcomer()
    outcome = host.ssh(person, "id -un")
    require(outcome.out == f"{person.login}\n", f"after the faults a newcomer is refused: {outcome.text}")


def all_refused(env: Environment, faults: tuple[tuple[str, Any, set[str]], ...]) -> str:
    with env.fresh("faults") as host:
        slowest = max(refused_with(env, host, fault, value, reasons) for fault, value, reasons in faults)
    with env.fresh("after-faults") as host:
        and_then_admitted(env, host)
    return f"{len(faults)} faults, slowest {slowest:.0f} ms"


@case("P1", "429, 5xx, wrong, huge, redirected and forbidden answers: refused, each with its own reason")
def every_fault(env: Environment) -> str:
    return all_refused(env, QUICK)


@case("P1", "503, cut answers and reset connections: refused, each with its own reason", deep=True)
def every_slow_fault(env: Environment) -> str:
    return all_refused(env, SLOW)


@case("P9", "a silent Azure: refused within ten seconds, and nobody else waits meanwhile")
def silent(env: Environment) -> str:
    with env.fresh("silent") as host:
        known = env.newcomer()
        require(host.ssh(known, "true").ok, "the first sign-in")
        waiting = env.aside(refused_with, env, host, "silent", None, {"unreachable"})
        other = host.ssh(known, "true")
        local = env.lisa.ssh("true", port=host.port)
        require(not waiting.done(), "Azure was not silent")
        require(other.ok and local.ok, f"{other.text}{local.text}")
        milliseconds = waiting.result(90)
    return (f"refused after {milliseconds:.0f} ms; meanwhile {other.milliseconds:.0f} ms for somebody known, "
            f"{local.milliseconds:.0f} ms for a local user")


@case("P1", "a server certificate of an unknown CA is no answer")
def wrong_tls(env: Environment) -> str:
    person = env.newcomer()
    with env.azure.fault("wrong-tls"), env.fresh("tls", started=False) as host:
        host.machine.start_sshd(host.port)
        host.service.start()
        host.stamped()
        refused(host.ssh(person, "id"))
        wait_for(lambda: "certificate" in host.tool("doctor").text.lower(), "doctor to name the certificate")
        doctor = host.tool("doctor")
        require(not doctor.ok, f"doctor is content: {doctor.text}")
        require(not host.machine.path(KEYS).exists(), "sshd was given keys")
    return next(line.strip() for line in doctor.text.splitlines() if "FAILED" in line)


@case("P1", "the application is missing in the tenant, and ARM is down too: refused with its name and a remedy")
def application_missing(env: Environment) -> str:
    env.azure.set_fault("missing-application", "token")
    with env.fresh("missing", started=False) as host:
        hosts = host.machine.read("/etc/hosts")
        nobody = hosts.replace("127.20.0.3 ", "127.20.0.99 ")
        require(nobody != hosts, f"ARM's address is not in {hosts}")
        host.machine.write("/etc/hosts", nobody)
        host.machine.start_sshd(host.port)
        host.begin()
        host.stamped()
        person = env.newcomer()
        mark = host.journal.mark()
        text = refused(host.ssh(person, "id"), "Correlation id", "Azure Linux VM Sign-In")
        record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "application-missing", "reason")
        require("New-MgServicePrincipal" in record["ENTRALOGIN_DETAIL"], f"no remedy: {record['ENTRALOGIN_DETAIL']}")
        require(not host.enrolled(person.login), "enrolled")
        for tool in ("status", "doctor"):
            require("New-MgServicePrincipal" in host.tool(tool).text, f"{tool} hides it")
        # With ARM back, ARM answers: a no as well as a yes.
        host.machine.write("/etc/hosts", hosts)
        host.service.stop()  # libcurl keeps addresses for a minute
        host.begin()
        outcome = host.ssh(person, "id -un")
        require(outcome.out == f"{person.login}\n", f"with ARM back: {outcome.text}")
        refused(host.ssh(env.person("carol"), "id"), "role not assigned")
        env.azure.clear_faults()
    return text.splitlines()[0]


@cases("P1", "no token, because its endpoint is silent or fails: refused in time", ("silent", "server-error"), every=2)
def token_faults(env: Environment, faults: Sequence[str]) -> str:
    seen, reasons = [], {"unreachable", "metadata-closed"}
    for fault in faults:
        env.azure.set_fault(fault, "token")  # before the daemon has a token
        with env.fresh("token") as host:
            seen.append(f"{fault} {refused_with(env, host, fault, None, reasons, endpoints=('token',)):.0f} ms")
    return ", ".join(seen)
