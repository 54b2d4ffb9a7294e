# SPDX-License-Identifier: Apache-2.0
"""A machine on which configure is stopped midway, and two users with their own keys who must not get in meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bed import Person
from bed.checks import Wrong, admitted, equal, require
from bed.installed import CONFIGURE, TOOL
from bed.stopper import Stopper
from credentials import intruder
from ground import Ground, Site
from migration import accounts, adopt
from old_machine import files, lay_out
from simulator.sshkeys import public_line

UNFINISHED, DROP_IN = "/etc/entralogin/unfinished", "/etc/ssh/sshd_config.d/00-entralogin.conf"


@dataclass
class Trial:
    """A machine with two users whose role is gone, and who have planted keys in their homes: one has a line in /etc/passwd, one
    is known only to entralogin's name service."""

    ground: Ground
    site: Site
    thieves: list[Person]
    stopper: Stopper

    @staticmethod
    def prepared(ground: Ground, site: Site) -> Trial:
        mapped, known = ground.newcomer(), ground.newcomer()
        lay_out(ground, site, mapped)
        site.reload()
        adopt(site)
        thieves = []
        for person in (mapped, known):
            thief = intruder(ground, person)
            planted = "umask 77 && mkdir -p .ssh && cat >.ssh/authorized_keys"
            admitted(site.ssh(person, planted, input=public_line(thief.identity) + "\n"))
            ground.withdraw(person)
            thieves.append(thief)
        site.flush()
        trial = Trial(ground, site, thieves, Stopper(site.machine, ground.bed.scratch / "programs"))
        trial.control()
        return trial

    def control(self) -> None:
        """The control: without PAM's lines and sshd's block these keys open both accounts; with them, neither."""
        switch = "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --{} entralogin"
        out = "disable" if "--disable" in self.site.machine.read("/usr/sbin/pam-auth-update") else "remove"  # Debian 11
        require(self.site.machine.shell(f"mv {DROP_IN} /root/ && {switch.format(out)}").ok, "taken out by hand")
        self.site.reload()
        for thief in self.thieves:
            admitted(self.site.ssh(thief, "true"))
        require(self.site.machine.shell(f"mv /root/{DROP_IN.rsplit('/', 1)[1]} {DROP_IN} && {switch.format('enable')}").ok,
                "put back by hand")
        self.hunt("on the machine as it was")

    def hunt(self, when: str) -> None:
        """Reloads sshd; requires that no planted key opens an account, and that lisa gets in."""
        self.site.reload()
        for thief in self.thieves:
            if self.site.ssh(thief, "true").ok:
                raise Wrong(f"{thief.login} is in {when}")
        admitted(self.site.ssh(self.ground.lisa, "true"))

    def state(self) -> list[str]:
        sudoers = self.site.machine.shell("cat /etc/sudoers.d/entralogin; stat -c %a /etc/sudoers.d/entralogin").text
        return [files(self.site), sudoers, *accounts(self.site)]

    def settled(self, when: str, *states: list[str]) -> None:
        """Runs configure --recover, as the next run does first; requires one of these states, with nothing left over."""
        recovered = self.site.machine.run(CONFIGURE, "--recover", timeout=180)
        require(recovered.ok, f"{when}: {recovered.text}")
        now = self.state()
        nearest = min((differences(now, state) for state in states), key=len)
        require(not nearest, f"{when}: neither as before nor as asked: {nearest} {recovered.text}")
        left = self.site.machine.shell(f"ls -d {UNFINISHED}* /run/entralogin-configure.??????").out
        equal(left, "", f"left over {when}")

    def every_stop(self, start: Callable[[], object], step: int, *command: str) -> int:
        """Stops the command at every `step`th of its calls, in each way; returns the number of stops."""
        start()
        before = self.state()
        whole = self.site.machine.run(*command, timeout=180)
        require(whole.ok or "process" in whole.text, whole.text)  # the check waits for sshd, which is not reloaded here
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
                stops += 1
                at += stride
        self.hunt("at the end")
        return stops


def differences(now: list[str], before: list[str]) -> list[str]:
    lines = [set("\n".join(state).splitlines()) for state in (now, before)]
    return [f"+{line}" for line in lines[0] - lines[1]] + [f"-{line}" for line in lines[1] - lines[0]]


def undo(trial: Trial) -> None:
    outcome = trial.site.machine.shell(f"cd /root && {TOOL} setup --undo")
    require(outcome.ok, outcome.text)


def redo(trial: Trial) -> None:
    trial.site.tool("setup", "--apply")  # the check waits for sshd, which is not reloaded here
