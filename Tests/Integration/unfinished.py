# SPDX-License-Identifier: Apache-2.0
"""A machine on which configure is stopped midway, and two users with planted keys who must not get in meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from credentials import intruder
from environment import Environment, Host
from migration import accounts, adopt
from old_machine import files, lay_out
from simulator.sshkeys import public_line
from testbed import Person
from testbed.checks import Wrong, admitted, equal, require
from testbed.installed import CONFIGURE, TOOL
from testbed.stopper import Stopper

UNFINISHED, DROP_IN = "/etc/entralogin/unfinished", "/etc/ssh/sshd_config.d/00-entralogin.conf"
TURNED_ON = "/etc/entralogin/turned-on"


@dataclass
class Trial:
    """A machine with two users whose role is gone, and who have planted keys in their homes: one has a line in /etc/passwd, one
    is known only to entralogin's name service."""

    env: Environment
    host: Host
    thieves: list[Person]
    stopper: Stopper

    @staticmethod
    def prepared(env: Environment, host: Host) -> Trial:
        mapped, known = env.newcomer(), env.newcomer()
        lay_out(env, host, mapped)
        host.reload()
        adopt(host)
        thieves = []
        for person in (mapped, known):
            thief = intruder(env, person)
            planted = "umask 77 && mkdir -p .ssh && cat >.ssh/authorized_keys"
            admitted(host.ssh(person, planted, input=public_line(thief.identity) + "\n"))
            env.withdraw(person)
            thieves.append(thief)
        host.flush()
        trial = Trial(env, host, thieves, Stopper(host.machine, env.testbed.scratch / "programs"))
        trial.control()
        return trial

    def control(self) -> None:
        """The control: without PAM's lines and sshd's block these keys open both accounts; with them, neither."""
        switch = "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --{} entralogin"
        out = "disable" if "--disable" in self.host.machine.read("/usr/sbin/pam-auth-update") else "remove"  # Debian 11
        require(self.host.machine.shell(f"mv {DROP_IN} /root/ && {switch.format(out)}").ok, "taken out by hand")
        self.host.reload()
        for thief in self.thieves:
            admitted(self.host.ssh(thief, "true"))
        require(self.host.machine.shell(f"mv /root/{DROP_IN.rsplit('/', 1)[1]} {DROP_IN} && {switch.format('enable')}").ok,
                "put back by hand")
        self.hunt("on the machine as it was")

    def hunt(self, when: str) -> None:
        """Reloads sshd; requires that no planted key opens an account, and that lisa gets in."""
        self.host.reload()
        for thief in self.thieves:
            if self.host.ssh(thief, "true").ok:
                raise Wrong(f"{thief.login} is in {when}")
        admitted(self.host.ssh(self.env.lisa, "true"))

    def state(self) -> list[str]:
        sudoers = self.host.machine.shell("cat /etc/sudoers.d/entralogin; stat -c %a /etc/sudoers.d/entralogin").text
        return [files(self.host), sudoers, *accounts(self.host)]

    def settled(self, when: str, *states: list[str]) -> None:
        """Runs configure --recover, as the next run does first; requires one of these states, with nothing left over."""
        recovered = self.host.machine.run(CONFIGURE, "--recover", timeout=180)
        require(recovered.ok, f"{when}: {recovered.text}")
        now = self.state()
        nearest = min((differences(now, state) for state in states), key=len)
        require(not nearest, f"{when}: neither as before nor as asked: {nearest} {recovered.text}")
        left = self.host.machine.shell(f"ls -d {UNFINISHED}* /run/entralogin-configure.??????").out
        equal(left, "", f"left over {when}")

    def every_stop(self, start: Callable[[], object], step: int, *command: str) -> int:
        """Stops the command at every `step`th of its calls by a kill, and at every third of these by a full disk and by
        an error; returns the number of stops."""
        start()
        before = self.state()
        whole = self.host.machine.run(*command, timeout=180)
        require(whole.ok or "process" in whole.text, whole.text)  # the check fails: sshd is not reloaded here
        after, stops = self.state(), 0
        for mode, stride in (("kill", step), ("full", 3 * step), ("fail", 3 * step)):
            at = 1
            while True:
                start()
                unlike = differences(self.state(), before)
                require(not unlike, f"the state at the start: {unlike}")
                _, where = self.stopper.run(mode, at, *command)
                if not where:
                    break
                when = f"{command[-1]}, {mode} {at} ({where})"
                if self.state() not in (before, after):
                    self.hunt(when)
                self.settled(when, before, after)
                if mode == "kill":
                    paths = [self.host.machine.path(path) for path in (DROP_IN, TURNED_ON)]
                    equal(paths[1].exists(), paths[0].exists(), f"the note that sign-in is on, {when}")
                stops += 1
                at += stride
        self.hunt("at the end")
        return stops


def differences(now: list[str], before: list[str]) -> list[str]:
    lines = [set("\n".join(state).splitlines()) for state in (now, before)]
    return [f"+{line}" for line in lines[0] - lines[1]] + [f"-{line}" for line in lines[1] - lines[0]]


def undo(trial: Trial) -> None:
    outcome = trial.host.machine.shell(f"cd /root && {TOOL} setup --undo")
    require(outcome.ok, outcome.text)


def redo(trial: Trial) -> None:
    trial.host.tool("setup", "--apply")  # the check fails: sshd is not reloaded here
