# SPDX-License-Identifier: Apache-2.0
"""Rows about a machine whose integration is wrong, about the tool, and about names while the daemon is stopped."""

from __future__ import annotations

from fixture import Fixture
from rows_people import USERS, in_id_range
from table import equal, require, row
from testbed.checks import refused
from testbed.installed import TOOL

ENROLLED = ("alice", "bob", "frank", "svc", "mi")


@row("alice", "after the machine's sshd was wired wrong (UsePAM no)")
def wired_wrong(fixture: Fixture) -> str:
    fresh = fixture.install("wrong", 2203)
    alice = fixture.person("alice")
    require(alice.ssh("true", port=2203).ok, "she could not sign in before")
    fresh.machine.write("/etc/ssh/sshd_config.d/40-hardening.conf", "UsePAM no\n")
    fresh.machine.reload_sshd(2203)
    require(not fresh.stamp(), "the stack check is content with UsePAM no")
    refused(alice.ssh("id", port=2203))
    doctor = fresh.machine.run(TOOL, "doctor")
    require(not doctor.ok and "UsePAM" in doctor.text, f"doctor (status {doctor.status}) says: {doctor.text}")
    line = next(line for line in doctor.text.splitlines() if "UsePAM" in line)

    fresh.machine.remove("/etc/ssh/sshd_config.d/40-hardening.conf")
    fresh.machine.reload_sshd(2203)
    require(fresh.stamp() and alice.ssh("true", port=2203).ok, "she cannot sign in after it was fixed")
    return f"refused; doctor: {line.strip()}; fixed: in again"


@row("doctor, status, explain", "on the machine as it should be")
def tool(fixture: Fixture) -> str:
    machine = fixture.vm.machine
    for command in (("doctor",), ("status",), ("explain", "alice@contoso.com"), ("users",)):
        outcome = machine.run(TOOL, *command)
        require(outcome.ok, f"{' '.join(command)}: status {outcome.status}, {outcome.text}")
    require("alice@contoso.com" in machine.run(TOOL, "users").out, "users does not list alice")
    return "all end with status 0; users lists alice"


@row("everyone", "getent, id, ls -l after the daemon is stopped")
def names_stay(fixture: Fixture) -> str:
    machine = fixture.vm.machine
    names = [fixture.person(key).login for key in ENROLLED]
    before = {name: machine.passwd(name) for name in names}
    fixture.vm.service.stop()
    for name in names:
        record = machine.passwd(name)
        equal(record, before[name], f"getent passwd {name}")
        require(len(record) == 7 and in_id_range(int(record[2])), f"{name}: {record}")
        equal(machine.passwd(record[2]), record, f"getent passwd {record[2]}")
        equal(machine.must("id", "-un", name).out, f"{name}\n", f"id {name}")
        require(USERS in machine.must("id", "-Gn", name).out.split(), f"id -Gn {name} lacks {USERS}")
        machine.must("touch", f"{record[5]}/seen")
        machine.must("chown", f"{name}:{name}", f"{record[5]}/seen")
        listed = machine.must("ls", "-l", f"{record[5]}/seen").out.split()
        equal(listed[2:4], [name, name], f"ls -l in {record[5]}")
    refused(fixture.person("alice").ssh("id"))
    fixture.vm.service.start()
    fixture.vm.wait_until_ready()
    require(fixture.person("alice").ssh("true").ok, "alice cannot sign in when the daemon is back")
    return f"{len(names)} people resolve by name and id; alice is refused, and in again with the daemon back"
