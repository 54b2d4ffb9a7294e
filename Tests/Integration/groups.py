# SPDX-License-Identifier: Apache-2.0
"""P2: roles held through groups that checkaccess does not expand; and the confirmation that a refusal needs to count."""

from __future__ import annotations

import json

from bed.checks import admitted, equal, refused, require
from case import case
from ground import Ground, Site
from roles import session_around
from simulator import contoso

ADMINS = "entra_admins"
A_ROUND = 300  # seconds between two questions about an administrator at most


def confirmations(site: Site) -> dict[str, int]:
    found: dict[str, int] = json.loads(site.tool("status", "--json").out)["confirmations"]
    return found


def finding(site: Site, name: str) -> dict[str, str]:
    found = json.loads(site.tool("--json", "doctor").out)["findings"]
    return next((f for f in found if f["id"] == name), {})


@case("P2",
      "administrator through a group in a group: in, with sudo, whether or not Azure honours a hint; confirmed or not asked")
def nested(ground: Ground) -> str:
    alice = ground.person("alice")
    with ground.fresh("nested") as site:
        out = admitted(site.ssh(alice, "id -Gn; sudo -n id -u"))
        equal((ADMINS in out, out.split()[-1]), (True, "0"), f"alice's groups and sudo: {out}")
        equal(confirmations(site)["overruled"], 1, "refusals that role assignments overruled")
        require("refusals" in finding(site, "daemon.refusals-overruled").get("found", ""), "doctor names no disagreement")
        report = json.loads(site.tool("--json", "check", alice.login).out)
        equal([a.get("role") for a in report["answers"]], ["none", "none", "administrator"], "each source's answer")
        equal((report["role"], report["confirmation"]), ("administrator", "overruled"), "the combined answer")
        require('entralogin_confirmations_total{outcome="overruled"} 1' in site.tool("metrics").out, "no such metric")
        # The overruled refusals changed nothing.
        admitted(site.ssh(alice, "sudo -n true"))
        try:
            for hints in (["claims"], ["retrieve", "claims"]):
                ground.azure.post("groups", hints=hints)
                site.flush()
                ground.azure.forget_requests()
                admitted(site.ssh(alice, "sudo -n true"))
                equal(site.count("arm"), 0, f"requests to ARM where Azure honours {hints}")
        finally:
            ground.azure.post("groups", hints=[])
    return out.splitlines()[0]


@case("P2",
      "administrator through a group in a group: membership and sudo of the open session are steady over an hour of rounds",
      deep=True)
def steady(ground: Ground) -> str:
    alice = ground.person("alice")
    with ground.fresh("steady") as site:
        counts: list[int] = []

        def an_hour_of_rounds() -> None:
            for _ in range(13):
                mark = site.journal.mark()
                site.pass_by(A_ROUND, wall=False)
                status = json.loads(site.tool("status", "--json").out)  # the daemon sees the new time
                equal(status["grants"], 1, f"memberships after {len(counts)} rounds")
                site.journal.wait(mark, event="access-check")
                counts.append(confirmations(site)["overruled"])
            # The end of the session withdraws it.
            require(not site.journal.since(event="withdrawn"), "a membership ended")

        outcome = session_around(ground, site, alice, "sudo -n id -u", an_hour_of_rounds, "sudo -n id -u", 120)
        equal(outcome.lines(), ["0", "0"], f"sudo before and after ({outcome.text})")
        equal(counts, sorted(set(counts)), "each round's answer was confirmed")
    return f"{len(counts)} rounds, {counts[-1]} refusals overruled"


@case("P2",
      "without the right to read role assignments a role through a group is refused, and told: screen, record, status, doctor")
def without_reader(ground: Ground) -> str:
    alice = ground.person("alice")
    with ground.fresh("noreader") as site:
        require(ground.azure.withdraw("machine") > 0, "the machine had no Reader")
        try:
            mark = site.journal.mark()
            text = refused(site.ssh(alice, "id"), "role not assigned", "not counting groups", "Reader")
            record = site.journal.wait(mark, event="account", user=alice.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "role-not-assigned", "the reason")
            command = f"az role assignment create --assignee-object-id {contoso.MACHINE_IDENTITY.object_id}"
            warned = finding(site, "daemon.refusals-unconfirmed")
            for where, seen in (("record", record["ENTRALOGIN_DETAIL"]), ("status", site.tool("status").text),
                                ("doctor", warned.get("remedy", ""))):
                require(command in " ".join(seen.split()), f"{where} hides the command: {seen}")
            require("unconfirmed" in record["ENTRALOGIN_DETAIL"], f"the record hides it: {record}")
            ground.azure.assign("machine", contoso.CHECK_ACCESS_READER)  # the smaller role is enough
            site.pass_by(60, wall=False)
            admitted(site.ssh(alice, "sudo -n true"))
            require(not finding(site, "daemon.refusals-unconfirmed"), "doctor still warns")
        finally:
            ground.azure.withdraw("machine")
            ground.azure.assign("machine", "Reader")
            ground.azure.assign("machine", "Reader", "arc")
    return text.splitlines()[0]


@case("P2", "ARM asks to wait: an open session keeps its sudo within the grace, somebody new is refused, and no grant ends")
def throttled(ground: Ground) -> str:
    alice = ground.person("alice")
    with ground.fresh("throttled") as site:

        def between() -> None:
            ground.azure.set_fault("throttle", "arm", 120)
            site.pass_by(400, wall=False)

        outcome = session_around(ground, site, alice, "sudo -n id -u", between, "sudo -n id -u; id -Gn")
        lines = outcome.lines()
        equal(lines[:2], ["0", "0"], f"sudo before and after: {outcome.text}")
        require(not list(site.journal.since(0, event="withdrawn", reason="role-not-assigned")), "the grant ended")
        mark = site.journal.mark()
        stranger = ground.person("carol")
        refused(site.ssh(stranger, "id"), "has not confirmed yet")
        record = site.journal.wait(mark, event="account", user=stranger.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "role-unconfirmed", "the reason")
        user = ground.newcomer()
        equal(admitted(site.ssh(user, "id -Gn")).split(), [user.login, "entra_users"], "a user's groups")
        ground.azure.clear_faults()
    return record["MESSAGE"]


@case("P2", "a question that was under way when the administrator flushed lets nobody in afterwards", attack="W15")
def flushed_meanwhile(ground: Ground) -> str:
    """The first answer admits a user while its confirmation still runs: the confirmation ends after the flush."""
    with ground.fresh("flushed") as site:
        control, person = ground.newcomer(), ground.newcomer()
        admitted(site.ssh(control, "true"))
        ground.withdraw(control)
        site.flush()
        refused(site.ssh(control, "id"), "role not assigned")
        mark = site.journal.mark()
        object_id = ground.bed.directory.principals[ground.key_of(person)].object_id
        with ground.azure.fault("latency", "arm", 2500):
            admitted(site.ssh(person, "true"))
            ground.withdraw(person)
            site.flush()
            require(not site.journal.since(mark, event="access-check", object_id=object_id), "the answer came before the flush")
        site.journal.wait(mark, event="access-check", object_id=object_id)
        refused(site.ssh(person, "id"), "role not assigned")
    return "refused, as without a question under way"
