# SPDX-License-Identifier: Apache-2.0
"""P16: doctor is right about session recording that is switched on: whether a session ends, is recorded, or is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from booted_environment import BootedHost, BootedMachine
from case import case
from recording import SUDO_LOG, SUDOERS, TLOG, RecordingEnvironment, recorded
from testbed import Outcome, Person
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

CONFIGURATION = "/etc/tlog/tlog-rec-session.conf"
JOURNALD = "/etc/systemd/journald.conf.d/10-none.conf"
ASIDE = f"{CONFIGURATION}.aside"
LOCKS = "/run/tlog"
NAMES = "/etc/nsswitch.conf"
# Without the name service myhostname, which always resolves the machine's own name.
FILES_ONLY = "passwd: files systemd entralogin\ngroup: files systemd entralogin\nhosts: files\n"
POLICY = "Plugin sudoers_policy sudoers.so\n"
ON = f'Defaults:"%:entralogin:administrators" log_output, iolog_dir={SUDO_LOG}\n'


@dataclass(frozen=True)
class State:
    name: str
    files: dict[str, str]
    finding: str
    severity: str
    commands: tuple[tuple[str, ...], ...] = ()
    back: tuple[tuple[str, ...], ...] = ()
    # What tlog prints in a session that it records nevertheless.
    words: str = ""


def in_state(machine: BootedMachine, state: State, look: Callable[[], None]) -> None:
    """Writes the files, calls `look`, and restores everything."""
    before = {path: machine.read(path) if machine.path(path).exists() else None for path in state.files}
    for path, text in state.files.items():
        machine.must("mkdir", "-p", path.rpartition("/")[0])
        machine.write_file(path, text)
    try:
        for command in state.commands:
            machine.must(*command)
        look()
    finally:
        for path, text_before in before.items():
            machine.remove(path)
            if text_before is not None:
                machine.write_file(path, text_before)
        for command in state.back:
            machine.must(*command)


def recording_findings(host: BootedHost) -> dict[str, str]:
    """The severities of all findings about recording that are not `good`, by id."""
    found = json.loads(host.tool("--json", "doctor").out)["findings"]
    return {f["id"]: f["severity"] for f in found if f["id"].startswith("recording.") and f["severity"] != "good"}


def remedy(host: BootedHost, name: str) -> str:
    """The remedy of doctor's finding, as one shell command."""
    found = next(f for f in json.loads(host.tool("--json", "doctor").out)["findings"] if f["id"] == name)
    return str(found["remedy"]).removeprefix("on Debian: ").replace("; then ", "; ")


JOURNAL = (("systemctl", "restart", "systemd-journald"),)
# Runs the integration check before systemd does: after a change to nsswitch.conf, sign-in is off until the next check.
STAMP = ("entraloginctl", "stack", "--stamp")
TLOG_STATES = (
    State("nothing is wrong", {}, "", ""),
    State("no user may read the configuration", {}, "recording.tlog", "error", (("chmod", "0600", CONFIGURATION),),
          (("chmod", "0644", CONFIGURATION),)),
    State("its configuration is missing", {}, "recording.tlog", "error", (("mv", CONFIGURATION, ASIDE),),
          (("mv", ASIDE, CONFIGURATION),)),
    State("the configuration has a mistake", {CONFIGURATION: "{"}, "recording.tlog", "error"),
    State("its shell is not there", {CONFIGURATION: '{"shell": "/bin/zsh"}'}, "recording.tlog", "error"),
    State("nothing of it is logged", {CONFIGURATION: '{"log": {"output": false}}'}, "recording.tlog", "warning"),
    State("the journal keeps nothing", {JOURNALD: "[Journal]\nStorage=none\n"}, "recording.tlog", "warning", JOURNAL, JOURNAL),
    State("the machine's own name is not found", {NAMES: FILES_ONLY}, "recording.tlog", "warning",
          (("hostname", "contoso-moved"), STAMP), (("hostname", "contoso-vm"), STAMP), "empty hostname"),
    State("no folder for its lock files", {}, "recording.tlog-locks", "warning", (("mv", LOCKS, f"{LOCKS}.aside"),),
          (("rm", "-rf", f"{LOCKS}.aside"),)),
    State("no set-id bits", {}, "recording.tlog-locks", "warning", (("chmod", "0755", TLOG),)),
)


@case("P16", "doctor says where tlog is switched on and does not record, and sessions do as it says", deep=True)
def by_tlog(env: RecordingEnvironment) -> str:
    host, early, person = env.vm, env.newcomer(), env.newcomer()
    admitted(host.ssh(early, "true"))
    host.settings(f"[Accounts]\nShell={TLOG}\n")
    try:
        admitted(host.ssh(person, "true"))
        equal(recording_findings(host), {"recording.accounts": "warning"}, "an account with its shell of before")
        for record in json.loads(host.tool("--json", "export").out):
            if record["shell"] != TLOG:
                host.machine.must("entraloginctl", "users", "set-shell", record["name"], TLOG)
        for number, state in enumerate(TLOG_STATES):
            in_state(host.machine, state, partial(tlog_in, host, person, state, number))
    finally:
        host.settings("")
    return f"{len(TLOG_STATES)} states"


def tlog_in(host: BootedHost, person: Person, state: State, number: int) -> None:
    expected = {state.finding: state.severity} if state.finding else {}
    equal(recording_findings(host), expected, f"{state.name}: doctor")
    outcome, words = host.ssh(person, f"echo $((1000 + {number})) said"), f"{1000 + number} said"
    equal(outcome.ok and words in outcome.out, state.severity != "error", f"{state.name}: the session, {outcome.text}")
    if state.finding == "recording.tlog-locks" or not state.finding:
        equal("lock file" in outcome.text, bool(state.finding), f"{state.name}: what the user reads, {outcome.text}")
        wait_for(lambda: words in recorded(host, person), f"{state.name}: the recording")
    # Writes the journal to disk, so that it has everything that was recorded so far.
    host.machine.must("journalctl", "--sync")
    is_recorded = state.finding != "recording.tlog" or bool(state.words)
    equal(words in recorded(host, person), is_recorded, f"{state.name}: the recording")
    require(state.words in outcome.text, f"{state.name}: what the user reads, {outcome.text}")
    if state.finding == "recording.tlog-locks":
        command = remedy(host, state.finding)
        host.machine.run("sh", "-c", command)
        equal(recording_findings(host), {}, f"{state.name}: doctor after {command!r}")


SUDO_STATES = (
    State("it is on", {SUDOERS: ON}, "", ""),
    State("a later line switches it off", {SUDOERS: f"{ON}Defaults !log_output\n"}, "recording.sudo", "warning"),
    State("its folder is a file", {SUDOERS: ON, SUDO_LOG: "a file\n"}, "recording.sudo", "error"),
    State("the same, and sudo is to go on", {SUDOERS: f"{ON}Defaults ignore_iolog_errors\n", SUDO_LOG: "a file\n"},
          "recording.sudo", "warning"),
    State("sudo.conf loads the policy alone", {SUDOERS: ON, "/etc/sudo.conf": POLICY}, "recording.sudo", "warning"),
)


@case("P16", "doctor says where sudo's I/O log is switched on and is not written, and sudo does as it says", deep=True)
def by_sudo(env: RecordingEnvironment) -> str:
    host, person = env.vm, env.administrator()
    admitted(host.ssh(person, "sudo -n true"))
    for state in SUDO_STATES:
        in_state(host.machine, state, partial(sudo_in, host, person, state))
        host.machine.must("rm", "-rf", SUDO_LOG)
    return f"{len(SUDO_STATES)} states"


def sudo_in(host: BootedHost, person: Person, state: State) -> None:
    expected = {state.finding: state.severity} if state.finding else {}
    equal(recording_findings(host), expected, f"{state.name}: doctor")
    outcome: Outcome = host.ssh(person, "sudo -n id -u")
    equal(outcome.out == "0\n", state.severity != "error", f"{state.name}: sudo, {outcome.text}")
    listed = host.machine.run("sudoreplay", "-l").out
    require((person.login in listed) == (not state.finding), f"{state.name}: sudoreplay -l: {listed}")
