# SPDX-License-Identifier: Apache-2.0
"""P16: session recording as Documentation/how-to/session-recording.md describes it: by tlog, and by sudo's own log."""

from __future__ import annotations

import json

from booted_environment import BootedEnvironment, BootedHost
from case import case
from simulator import contoso
from testbed import Machine, Person
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for
from testbed.terminal import Terminal

TLOG = "/usr/bin/tlog-rec-session"
SUDOERS = "/etc/sudoers.d/zz-recording"
SUDO_LOG = "/var/log/sudo-io"
FORCED = "/etc/ssh/sshd_config.d/60-recording.conf"
PROMPT = r"[$#] \Z"


class RecordingEnvironment(BootedEnvironment):
    """Booted machines with tlog installed, set up as the page says."""

    def _prepared(self) -> Machine:
        machine = self.testbed.machine("bare", layered=True)
        self.administer(machine)
        machine.write("/etc/hostname", "contoso-vm\n")
        machine.must("systemctl", "disable", "nscd.service")
        machine.must("dpkg-statoverride", "--update", "--add", "_tlog", "_tlog", "6755", TLOG)
        machine.stop()
        return machine

    def administrator(self) -> Person:
        person = self.newcomer()
        self.azure.assign(self.key_of(person), contoso.ADMINISTRATOR)
        return person


def typed(host: BootedHost, person: Person, *lines: str) -> str:
    """What a terminal shows in a session over SSH in which these lines are typed, one at each prompt."""
    argv = person.argv("-p", str(host.port), "-tt", f"{person.login}@127.0.0.1")
    terminal = Terminal(("/usr/bin/ssh", *argv[1:]))
    try:
        for line in lines:
            terminal.expect(PROMPT)
            terminal.type(line)
        terminal.expect(PROMPT)
        terminal.type("exit")
        terminal.end()
        return terminal.shown
    finally:
        terminal.close()


def recorded(host: BootedHost, person: Person) -> str:
    """All terminal output that tlog recorded for this person, in the order of the journal."""
    found = host.machine.run("journalctl", "--no-pager", "-o", "json", f"TLOG_USER={person.login}")
    messages = [json.loads(json.loads(line)["MESSAGE"]) for line in found.out.splitlines()]
    return "".join(message["out_txt"] for message in messages)


def recordings(host: BootedHost, person: Person) -> list[str]:
    found = host.machine.run("journalctl", "--no-pager", "-o", "json", f"TLOG_USER={person.login}")
    return list(dict.fromkeys(json.loads(line)["TLOG_REC"] for line in found.out.splitlines()))


def wait_until_recorded(host: BootedHost, person: Person, words: str) -> None:
    wait_for(lambda: words in recorded(host, person), f"{words} in the recording of {person.login}")


@case("P16", "tlog as the shell records an Entra user's first session, single commands, and earlier accounts once set",
      deep=True)
def as_shell(env: RecordingEnvironment) -> str:
    host, early, person = env.vm, env.newcomer(), env.newcomer()
    machine = host.machine
    admitted(host.ssh(early, "true"))
    host.settings(f"[Accounts]\nShell={TLOG}\n")
    try:
        shown = typed(host, person, "echo $((41 + 1)) typed")
        require("42 typed" in shown and "Permission denied" not in shown, f"a recorded session, and its lock: {shown}")
        wait_until_recorded(host, person, "42 typed")
        admitted(host.ssh(person, "echo $((40 + 3)) alone"))
        wait_until_recorded(host, person, "43 alone")
        require(person.scp(str(person.identity), ":/tmp/copied", port=host.port).ok, "scp")
        require("/etc/hostname" in person.sftp("ls /etc/hostname\n", port=host.port).out, "sftp")
        before = recorded(host, early)
        admitted(host.ssh(early, "echo $((40 + 4)) unseen"))
        machine.must("entraloginctl", "users", "set-shell", early.login, TLOG)
        admitted(host.ssh(early, "echo $((40 + 5)) seen"))
        wait_until_recorded(host, early, "45 seen")
        equal("44 unseen" in before + recorded(host, early), False, "an account that is enrolled keeps its shell")
        play = f"tlog-play -r journal -M TLOG_REC={recordings(host, person)[0]}"
        played = machine.run("script", "-qec", play, "/dev/null").out
        require("42 typed" in played, f"tlog-play at a terminal: {played!r}")
    finally:
        host.settings("")
    return f"{len(recordings(host, person))} recordings of {person.login}"


@case("P16", "tlog as the shell does not see a unit of the user's own, nor root's su to another shell", deep=True)
def beside_the_shell(env: RecordingEnvironment) -> str:
    host, person = env.vm, env.newcomer()
    admitted(host.ssh(person, "true"))
    host.machine.must("entraloginctl", "users", "set-shell", person.login, TLOG)
    admitted(host.ssh(person, "systemd-run --user --quiet sh -c 'echo $((40 + 6)) > ~/ran'; "
                              "while [ ! -s ran ]; do sleep 0.1; done; wc -l ran"))
    wait_until_recorded(host, person, "1 ran")
    host.machine.must("su", person.login, "-s", "/bin/sh", "-c", "echo $((40 + 7))")
    admitted(host.ssh(person, "echo $((40 + 8)) seen"))
    wait_until_recorded(host, person, "48 seen")
    told = recorded(host, person)
    equal([words for words in ("46", "47\n") if words in told], [], "what is recorded of the two")
    return "a user unit and su -s left nothing in the recording"


@case("P16", "sudo's own log has an administrator's sudo from the first session on, and nobody else's", deep=True)
def by_sudo(env: RecordingEnvironment) -> str:
    host, person = env.vm, env.administrator()
    machine = host.machine
    machine.write_file(SUDOERS, f'Defaults:"%:entralogin:administrators" log_output, iolog_dir={SUDO_LOG}\n')
    machine.must("chmod", "0440", SUDOERS)
    machine.must("visudo", "-c")
    try:
        admitted(host.ssh(person, "sudo -n sh -c 'echo $((40 + 2)) root'"))
        typed(host, person, "sudo -i", "echo $((40 + 3)) at a prompt", "exit")
        listed = machine.must("sudoreplay", "-l").out
        admitted(host.ssh(env.lisa, "echo 'correct horse' | sudo -S id -u"))
        equal(machine.must("sudoreplay", "-l").out, listed, "a local administrator's sudo is not in it")
        equal([line.split(" : ")[1] for line in listed.splitlines()], [person.login] * 2, "whose sudo is in the log")
        for number, words in (("000001", "42 root"), ("000002", "43 at a prompt")):
            replayed = machine.must("sudoreplay", "-s", "1000", number).out
            require(words in replayed, f"sudoreplay {number}: {replayed}")
        require(host.tool("stack").ok, "the integration check")
    finally:
        machine.remove(SUDOERS)
    return f"{len(listed.splitlines())} of 2"


@case("P16", "ForceCommand by entra_users records the first session, by entra_admins not an administrator's first", deep=True)
def by_sshd(env: RecordingEnvironment) -> str:
    host, seen = env.vm, {}
    machine = host.machine
    try:
        for group in ("entra_admins", "entra_users"):
            person = env.administrator()
            machine.write_file(FORCED, f"Match Group {group}\n    ForceCommand {TLOG}\n")
            machine.reload_sshd(host.port)
            machine.must("entraloginctl", "stack", "--stamp")
            seen[group] = typed(host, person, "echo $((40 + 2)) first")
            require("42 first" in seen[group], seen[group])
    finally:
        machine.remove(FORCED)
        machine.reload_sshd(host.port)
        machine.must("entraloginctl", "stack", "--stamp")
    equal({group: "being recorded" in shown for group, shown in seen.items()},
          {"entra_admins": False, "entra_users": True}, "which first session of an administrator is recorded")
    return "the administrators' group begins with the session"
