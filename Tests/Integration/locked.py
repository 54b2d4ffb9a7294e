# SPDX-License-Identifier: Apache-2.0
"""P1 and P2: an account that root has locked is refused everywhere until root unlocks it; `access` lists who holds a role."""

from __future__ import annotations

import json

from case import case
from environment import Environment
from testbed.checks import admitted, equal, refused, require


@case("P2", "a locked account: no sign-in, no sudo in the open session, no su, over a restart; unlocked, as before")
def locked(env: Environment) -> str:
    with env.fresh("locked") as host:
        person = env.newcomer()
        env.make_administrator(person)
        admitted(host.ssh(person, "true"))
        began = host.tool("users", "lock", person.login)
        require(began.ok and "What runs goes on" in began.out, began.text)
        mark = host.journal.mark()
        refused(host.ssh(person, "id"))
        reasons = {r.get("ENTRALOGIN_REASON") for r in host.journal.since(mark, event="certificate")}
        equal(reasons, {"account-locked"}, "the record's reason")
        require(host.tool("users", "list").out.count("refused: account-locked") == 1, "the list does not say so")
        require("users unlock" in host.tool("explain", person.login).out.replace("\n", " "), "explain has no remedy")
        equal(host.machine.run("su", "-", person.login, "-c", "id -un").ok, False, "root's su to the account")
        host.service.stop()
        host.begin()
        refused(host.ssh(person, "id"))
        object_id = env.testbed.directory.principals[env.key_of(person)].object_id
        require(host.tool("users", "unlock", object_id).ok, "unlock by object id")
        equal(admitted(host.ssh(person, "sudo -n id -u")).strip(), "0", "sudo after unlocking")
    return person.login


@case("P2", "sudo in a session that was open before: refused at once after the lock")
def sudo_while_locked(env: Environment) -> str:
    with env.fresh("lockedsudo") as host:
        person = env.newcomer()
        env.make_administrator(person)
        said = admitted(host.ssh(person, "sudo -n id -u; sudo -n entraloginctl users lock $(id -un) >/dev/null; "
                                         "sudo -n id -u; id -un"))
        equal([line for line in said.splitlines() if line], ["0", person.login], "what the session could do")
        require(host.tool("users", "unlock", person.login).ok, "unlock")
    return "0, then nothing"


@case("P1", "access lists who holds a login role here, groups unexpanded, and lets nobody in by it")
def access(env: Environment) -> str:
    with env.fresh("access") as host:
        report = json.loads(host.tool("--json", "access").out)
        kinds = {entry["kind"] for entry in report["entries"]}
        require({"User", "Group"} <= kinds, f"{sorted(kinds)}")
        shown, total = len(report["entries"]), report["total"]
        require(0 < shown <= total, f"{shown} entries of {total}")
        erin = env.testbed.directory.principals["erin"].object_id
        require(erin in {entry["objectID"] for entry in report["entries"]}, f"erin is missing: {report}")
        carol = env.testbed.directory.principals["carol"].object_id
        require(carol not in {entry["objectID"] for entry in report["entries"]}, "carol has no role")
        text = host.tool("access").out.replace("\n", " ")
        require("A group stands for its members" in text, text)
        require(env.azure.withdraw("machine") > 0, "the machine had no Reader")
        try:
            told = host.tool("access")
            require(told.status == 1 and "az role assignment create" in told.text.replace("\n", " "), told.text)
        finally:
            env.azure.withdraw("machine")
            env.azure.assign("machine", "Reader")
            env.azure.assign("machine", "Reader", "arc")
    return f"{shown} entries of {total}"
