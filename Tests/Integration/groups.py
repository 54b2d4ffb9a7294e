# SPDX-License-Identifier: Apache-2.0
"""P2: roles held through groups that checkaccess does not expand, and how role assignments confirm or overrule a refusal."""

from __future__ import annotations

import json

from case import case
from environment import Environment, Host
from roles import session_around
from simulator import contoso
from testbed.checks import admitted, equal, refused, require

ADMINS = "entra_admins"
A_ROUND = 300  # at most so many seconds pass between two checks of an administrator's role


def confirmations(host: Host) -> dict[str, int]:
    found: dict[str, int] = json.loads(host.tool("status", "--json").out)["confirmations"]
    return found


def finding(host: Host, name: str) -> dict[str, str]:
    found = json.loads(host.tool("--json", "doctor").out)["findings"]
    return next((f for f in found if f["id"] == name), {})


@case("P2",
      "administrator through a group in a group: in, with sudo, whether or not Azure honours a hint; confirmed or not asked")
def nested(env: Environment) -> str:
    alice = env.person("alice")
    with env.fresh("nested") as host:
        out = admitted(host.ssh(alice, "id -Gn; sudo -n id -u"))
        equal((ADMINS in out, out.split()[-1]), (True, "0"), f"alice's groups and sudo: {out}")
        equal(confirmations(host)["overruled"], 1, "refusals that role assignments overruled")
        require("refusals" in finding(host, "daemon.refusals-overruled").get("found", ""), "doctor names no disagreement")
        report = json.loads(host.tool("--json", "check", alice.login).out)
        equal([a.get("role") for a in report["answers"]], ["none", "none", "administrator"], "each source's answer")
        equal((report["role"], report["confirmation"]), ("administrator", "overruled"), "the combined answer")
        require('entralogin_confirmations_total{outcome="overruled"} 1' in host.tool("metrics").out, "no such metric")
        # The overruled refusals changed nothing.
        admitted(host.ssh(alice, "sudo -n true"))
        try:
            for hints in (["claims"], ["retrieve", "claims"]):
                env.azure.post("groups", hints=hints)
                host.flush()
                env.azure.forget_requests()
                admitted(host.ssh(alice, "sudo -n true"))
                equal(host.count("arm"), 0, f"requests to ARM where Azure honours {hints}")
        finally:
            env.azure.post("groups", hints=[])
    return out.splitlines()[0]


@case("P2",
      "administrator through a group in a group: membership and sudo of the open session are steady over an hour of rounds",
      deep=True)
def steady(env: Environment) -> str:
    alice = env.person("alice")
    with env.fresh("steady") as host:
        counts: list[int] = []

        def an_hour_of_rounds() -> None:
            for _ in range(13):
                mark = host.journal.mark()
                host.pass_by(A_ROUND, wall=False)
                status = json.loads(host.tool("status", "--json").out)  # the daemon sees the new time
                equal(status["grants"], 1, f"memberships after {len(counts)} rounds")
                host.journal.wait(mark, event="access-check")
                counts.append(confirmations(host)["overruled"])
            # The end of the session withdraws it.
            require(not host.journal.since(event="withdrawn"), "a membership ended")

        outcome = session_around(env, host, alice, "sudo -n id -u", an_hour_of_rounds, "sudo -n id -u", 120)
        equal(outcome.lines(), ["0", "0"], f"sudo before and after ({outcome.text})")
        equal(counts, sorted(set(counts)), "each round's answer was confirmed")
    return f"{len(counts)} rounds, {counts[-1]} refusals overruled"


@case("P2",
      "without the right to read role assignments a role through a group is refused, and told: screen, record, status, doctor")
def without_reader(env: Environment) -> str:
    alice = env.person("alice")
    with env.fresh("noreader") as host:
        require(env.azure.withdraw("machine") > 0, "the machine had no Reader")
        try:
            mark = host.journal.mark()
            text = refused(host.ssh(alice, "id"), "role not assigned", "not counting groups", "Reader")
            record = host.journal.wait(mark, event="account", user=alice.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "role-not-assigned", "the reason")
            command = f"az role assignment create --assignee-object-id {contoso.MACHINE_IDENTITY.object_id}"
            warned = finding(host, "daemon.refusals-unconfirmed")
            for where, seen in (("record", record["ENTRALOGIN_DETAIL"]), ("status", host.tool("status").text),
                                ("doctor", warned.get("remedy", ""))):
                require(command in " ".join(seen.split()), f"{where} hides the command: {seen}")
            require("unconfirmed" in record["ENTRALOGIN_DETAIL"], f"the record hides it: {record}")
            env.azure.assign("machine", contoso.CHECK_ACCESS_READER)  # the smaller role is enough
            host.pass_by(60, wall=False)
            admitted(host.ssh(alice, "sudo -n true"))
            require(not finding(host, "daemon.refusals-unconfirmed"), "doctor still warns")
        finally:
            env.azure.withdraw("machine")
            env.azure.assign("machine", "Reader")
            env.azure.assign("machine", "Reader", "arc")
    return text.splitlines()[0]


@case("P2", "ARM asks to wait: an open session keeps its sudo within the grace, somebody new is refused, and no grant ends")
def throttled(env: Environment) -> str:
    alice = env.person("alice")
    with env.fresh("throttled") as host:

        def between() -> None:
            env.azure.set_fault("throttle", "arm", 120)
            host.pass_by(400, wall=False)

        outcome = session_around(env, host, alice, "sudo -n id -u", between, "sudo -n id -u; id -Gn")
        lines = outcome.lines()
        equal(lines[:2], ["0", "0"], f"sudo before and after: {outcome.text}")
        require(not list(host.journal.since(0, event="withdrawn", reason="role-not-assigned")), "the grant ended")
        mark = host.journal.mark()
        stranger = env.person("carol")
        refused(host.ssh(stranger, "id"), "has not confirmed yet")
        record = host.journal.wait(mark, event="account", user=stranger.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "role-unconfirmed", "the reason")
        user = env.newcomer()
        equal(admitted(host.ssh(user, "id -Gn")).split(), [user.login, "entra_users"], "a user's groups")
        env.azure.clear_faults()
    return record["MESSAGE"]


@case("P2", "a question that was under way when the administrator flushed lets nobody in afterwards", attack="W15")
def flushed_meanwhile(env: Environment) -> str:
    """The first answer admits a user while its confirmation still runs: the confirmation ends after the flush."""
    with env.fresh("flushed") as host:
        control, person = env.newcomer(), env.newcomer()
        admitted(host.ssh(control, "true"))
        env.withdraw(control)
        host.flush()
        refused(host.ssh(control, "id"), "role not assigned")
        mark = host.journal.mark()
        object_id = env.testbed.directory.principals[env.key_of(person)].object_id
        with env.azure.fault("latency", "arm", 2500):
            admitted(host.ssh(person, "true"))
            env.withdraw(person)
            host.flush()
            require(not host.journal.since(mark, event="access-check", object_id=object_id), "the answer came before the flush")
        host.journal.wait(mark, event="access-check", object_id=object_id)
        refused(host.ssh(person, "id"), "role not assigned")
    return "refused, as without a question under way"
