# SPDX-License-Identifier: Apache-2.0
"""A booted machine on which one thing is broken at a time: users sign in, `doctor` and `explain` are run, and the thing is put
back."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from booted_environment import DAEMON, BootedEnvironment, BootedHost
from people import NUMBERED_USERS
from state import State, packed, unpack
from states_seen import ADMINISTRATOR, NEWCOMER, ROLES, USER, Doctor, Lie, Seen, lies, remedies, unhelped
from testbed import Outcome, Person
from testbed.checks import Mismatch, Wrong, one_line, require
from testbed.machine import wait_for

QUIET = 0.3  # seconds after which systemd's path units have seen a change
SETTLED = 3.0  # seconds to wait for a daemon that may never be ready
ASKED = {ADMINISTRATOR: "id -un; sudo -n true && echo sudo", USER: "id -un; sudo -n true && echo sudo",
         NEWCOMER: "id -un", "carol": "id -un", "lisa": "id -un"}


class StatesEnvironment(BootedEnvironment):
    rebuilt = 0
    _made_at = 0.0
    _is_well = False
    _units: list[str]

    @property
    def vm(self) -> BootedHost:
        """A machine with an administrator and a user who signed in a moment ago. Replaced before their certificates expire."""
        if self._vm is not None and time.monotonic() > self._made_at + 1200:
            self.renew()
        if self._vm is None:
            self._known.clear()
            self._next_newcomer = 0
            self._made_at = time.monotonic()
            host = super().vm
            for key in ("alice", "bob"):
                require(host.ssh(self.person(key), "true").ok, f"{key} does not get in before anything is broken")
            listed = host.machine.must("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "entralogin*.path",
                                       "entralogin*.socket", "systemd-journald*.socket", "dbus.socket").lines()
            self._units = [line.split()[0] for line in listed]
            self.rebuilt += 1
        assert self._vm is not None
        return self._vm

    def recover(self) -> None:
        """Called after a failed case. A wrong answer leaves a good machine, because everything was put back."""
        if not self._is_well:
            self.renew()

    def renew(self) -> None:
        self._is_well = False
        self.azure.clear_faults()
        self.azure.restore_keys()
        if self._vm is not None:
            folder = self._vm.machine.folder
            super().recover()
            shutil.rmtree(folder / "changes", ignore_errors=True)

    def settle(self) -> None:
        """Does nothing: `run` has already restored the machine, or discarded it."""

    # One state

    def run(self, state: State) -> tuple[Seen, list[Lie]]:
        """What was seen, the wrong answers that were given twice, and the remedies that did not help."""
        host = self.vm
        self._is_well = False
        if self._next_newcomer + 2 >= NUMBERED_USERS:
            self.renew()
            host = self.vm
        newcomers = [self.newcomer(), self.newcomer()]
        self.person("carol")  # gets her certificate now, while Entra issues them
        kept = {path: packed(host, path) for path in state.paths}
        try:
            for name, endpoint, value in state.faults:
                self.azure.set_fault(name, endpoint, value)
            state.act(host)
            if state.after:
                host.machine.shell(state.after)
            restarts = bool(state.faults) or "restart" in state.after
            if state.fresh:
                self._known.clear()
                newcomers = [self.newcomer(), self.newcomer()]
            self._settled(host, restarts)
            seen = self._look(host, newcomers[0], state)
            found = lies(seen, state.role_is_known, state.denied)
            if found:
                time.sleep(1)
                self._settled(host, restarts)
                seen = self._look(host, newcomers[1], state)
                again = {lie.kind for lie in found}
                found = [lie for lie in lies(seen, state.role_is_known, state.denied) if lie.kind in again]
            return seen, found + self._tried(host, remedies(seen.after))
        finally:
            self._put_back(state, kept)

    def _settled(self, host: BootedHost, restarts: bool) -> None:
        """Waits until systemd has no job left and a restarted daemon is ready, but for at most SETTLED seconds."""
        time.sleep(QUIET)
        end = time.monotonic() + SETTLED
        while time.monotonic() < end:
            jobs = host.machine.run("systemctl", "list-jobs", "--no-legend", "--no-pager")
            if not (jobs.ok and jobs.out.strip()):
                with suppress(OSError):
                    if not restarts or host.is_ready():
                        return
            time.sleep(0.1)

    def _look(self, host: BootedHost, newcomer: Person, state: State) -> Seen:
        people = {ADMINISTRATOR: self.person("alice"), USER: self.person("bob"), NEWCOMER: newcomer,
                  "carol": self.person("carol"), "lisa": self.lisa}
        with ThreadPoolExecutor(len(people)) as pool:
            # In parallel, because each of them may wait for a daemon that does not answer.
            asked = pool.submit(host.tool, "doctor")
            explained = dict(zip(ROLES, pool.map(lambda who: _steps(host.tool("explain", "--json", people[who].login)), ROLES),
                                 strict=True))
            text = asked.result()
            before = Doctor(text.status, (text.out.strip().splitlines() or [""])[-1])
            screens = dict(zip(people, pool.map(lambda who: host.ssh(people[who], ASKED[who]), people), strict=True))
        said = host.tool("doctor", "--json")
        entered = {who: _ran(screens[who], people[who]) for who in people}
        if entered["carol"]:
            raise Wrong(f"carol, who has no role, is let in: {one_line(screens['carol'].text)}")
        if "sudo\n" in screens[USER].out:
            raise Wrong("bob, who is no administrator, has sudo")
        require(entered["lisa"] or not state.local, f"lisa is kept out: {one_line(screens['lisa'].text)}")
        return Seen({who: entered[who] for who in ROLES}, "sudo\n" in screens[ADMINISTRATOR].out, before,
                    Doctor(said.status, "", _findings(said)), explained,
                    {who: one_line(screens[who].text, 160) for who in ROLES})

    def _tried(self, host: BootedHost, commands: dict[str, str]) -> list[Lie]:
        """Runs the commands of the findings, as an administrator would; returns findings that did not go away."""
        if not commands:
            return []
        for command in commands.values():
            host.machine.run("timeout", "15", "sh", "-c", command)
        self._settled(host, True)
        return unhelped(commands, Doctor(1, "", _findings(host.tool("doctor", "--json"))))

    # Back

    def _put_back(self, state: State, kept: dict[str, bytes]) -> None:
        self.azure.clear_faults()
        if state.rebuild:
            return self.renew()
        try:
            assert self._vm is not None
            host = self._vm
            for path, archive in kept.items():
                unpack(host, path, archive)
            again = "restart" if "entralogind" in state.after else "start"
            host.machine.shell(f"{state.undo}\nsystemctl daemon-reload; systemctl reset-failed; "
                               f"systemctl start {' '.join(self._units)}; systemctl {again} {DAEMON}; "
                               "systemctl start entralogin-stack; systemctl reload ssh")
            wait_for(lambda: host.is_ready() and host.tool("doctor").ok, "the machine to be well again", 8)
            require(host.ssh(self.person("bob"), "true").ok, "bob is still kept out")
            self._is_well = True
        except (OSError, TimeoutError, Mismatch, subprocess.SubprocessError):
            self.renew()


def _ran(outcome: Outcome, person: Person) -> bool:
    return person.login in outcome.out.splitlines()


def _steps(outcome: Outcome) -> dict[str, str]:
    try:
        return {step["subject"]: step["outcome"] for step in json.loads(outcome.out)["steps"]}
    except (ValueError, KeyError):
        return {}


def _findings(outcome: Outcome) -> tuple[dict[str, object], ...]:
    try:
        return tuple(json.loads(outcome.out)["findings"])
    except (ValueError, KeyError):
        return ()
