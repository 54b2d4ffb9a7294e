# SPDX-License-Identifier: Apache-2.0
"""entralogin's daemon on a machine, run from its installed unit files by a stand-in for systemd.

The stand-in provides the sockets of the socket units, ExecStartPre=, user and groups, runtime, state and cache directories,
environment, limits of cores and files, readiness through NOTIFY_SOCKET, and the path units that the service wants. It does
not provide the sandbox (except NoNewPrivileges=), the watchdog, restarts, or other path units.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from signal import Signals

from . import units
from .machine import HERE, Machine, wait_for
from .paths import PathWatch


class Service:
    def __init__(self, machine: Machine, name: str = "entralogind.service",
                 environment: dict[str, str] | None = None) -> None:
        self.machine = machine
        self.environment = environment or {}
        self.name = name
        self.log = machine.folder / f"{name}.log"
        self.limits: dict[str, int] = {}  # override the unit's; -1: the highest that this process may set
        self.notifications: list[str] = []
        self.milliseconds_to_ready = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._watches: list[PathWatch] = []
        self._address = f"notify-{machine.folder.name}-{name}"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind("\0" + self._address)
        self._notify.setblocking(False)

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    def start(self, limit: float = 30) -> None:
        """Runs ExecStartPre= and ExecStart=, and waits for READY=1."""
        process = self._begin()
        wait_for(lambda: self.said("READY=1") or self.ended, f"READY=1 of {self.name}", limit)
        if self.ended:
            raise RuntimeError(f"{self.name} ended with status {process.returncode}:\n{self.output()}")
        self.milliseconds_to_ready = (time.monotonic() - self._began()) * 1000

    def refusal(self, limit: float = 30) -> tuple[int, str]:
        """Starts a service that must refuse to start; returns its exit status, and what it wrote in this run."""
        before = len(self.output())
        process = self._begin()
        wait_for(lambda: self.said("READY=1") or self.ended, f"the end of {self.name}", limit)
        if not self.ended:
            self.stop()
            raise RuntimeError(f"{self.name} starts: {self.output()[before:]}")
        self._process = None
        return process.returncode, self.output()[before:]

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def said(self, assignment: str) -> bool:
        """Whether the service has sent this notification, such as READY=1 or STOPPING=1, since it started."""
        while True:
            try:
                self.notifications += self._notify.recv(4096).decode(errors="replace").splitlines()
            except BlockingIOError:
                return assignment in self.notifications

    def status(self) -> str:
        """The last STATUS= that it sent."""
        self.said("")
        return next((n.partition("=")[2] for n in reversed(self.notifications) if n.startswith("STATUS=")), "")

    def signal(self, number: Signals) -> None:
        os.kill(self.pid, number)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)
        wait_for(lambda: self._state() == "T", f"{self.name} frozen")

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)
        wait_for(lambda: self._state() != "T", f"{self.name} thawed")

    def stop(self, limit: float = 5) -> int:
        """Sends SIGTERM, and SIGKILL when the service does not end in time; returns the exit status."""
        if self._process is None:
            self._stop_watching()
            return 0
        if not self.ended:
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(limit)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
        status = self._process.wait()
        self._process = None
        self._stop_watching()
        return status

    def kill(self) -> None:
        """Sends SIGKILL: ends the service as a crash or a loss of power does."""
        assert self._process is not None
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._process = None
        self._stop_watching()

    def crash(self, number: Signals) -> bool:
        """Ends the service by that signal, as in a crash; returns whether the kernel wrote a core file or passed one on."""
        self.signal(number)
        how = os.WEXITED | os.WNOWAIT
        wait_for(lambda: os.waitid(os.P_PID, self.pid, how | os.WNOHANG) is not None, f"the end by {number.name}")
        ended = os.waitid(os.P_PID, self.pid, how)
        assert ended is not None and self._process is not None
        self._process.wait()
        self._process = None
        self._stop_watching()
        return ended.si_code == os.CLD_DUMPED

    def restart(self) -> None:
        self.stop()
        self.start()

    def output(self) -> str:
        """Standard output and error of all runs on this machine; on a machine without a journal also the decision records."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def resident_kibibytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def _begin(self) -> subprocess.Popen[bytes]:
        unit = units.service_unit(self.machine.root, self.name)
        self._stop_watching()
        self._watches = [PathWatch(self.machine, name) for name in unit.words("Unit", "Wants") if name.endswith(".path")]
        for value in unit.all("Service", "ExecStartPre"):
            self._run_before(unit, units.Command.parse(value))
        command = units.Command.parse(unit.one("Service", "ExecStart"))
        self.said("")  # reads what an earlier run has sent
        self.notifications.clear()
        self._process = self._launch(unit, command.argv, units.socket_units(self.machine.root, self.name),
                                     {"NOTIFY_SOCKET": f"@{self._address}", **self.environment})
        return self._process

    def _stop_watching(self) -> None:
        for watch in self._watches:
            watch.stop()
        self._watches = []

    def _run_before(self, unit: units.Unit, command: units.Command) -> None:
        if command.as_root:
            outcome = self.machine.run(*command.argv)
            if not outcome.ok and not command.may_fail:
                raise RuntimeError(f"ExecStartPre {command.argv}: exit status {outcome.status}\n{outcome.text}")
            return
        status = self._launch(unit, command.argv, [], {}).wait(60)
        if status != 0 and not command.may_fail:
            raise RuntimeError(f"ExecStartPre {command.argv}: exit status {status}\n{self.output()}")

    def _launch(self, unit: units.Unit, argv: list[str], sockets: list[dict[str, object]],
                more: dict[str, str]) -> subprocess.Popen[bytes]:
        user = unit.one("Service", "User", "root")
        environment = dict(word.split("=", 1) for v in unit.all("Service", "Environment") for word in shlex.split(v))
        asked = {
            "holder": self.machine.holder, "command": argv, "user": user, "sockets": sockets,
            "group": unit.one("Service", "Group", user), "more_groups": unit.words("Service", "SupplementaryGroups"),
            "folders": units.folders(unit), "umask": int(unit.one("Service", "UMask", "0022"), 8),
            "environment": environment | more,
            "limits": units.limits(unit) | self.limits,
            "no_new_privileges": unit.one("Service", "NoNewPrivileges", "no") in units.YES,
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen([sys.executable, "-I", str(HERE / "activate.py")], stdin=subprocess.PIPE,
                                       stdout=log, stderr=log, start_new_session=True)
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked).encode())
        process.stdin.close()
        return process

    def _began(self) -> float:
        """The monotonic time at which the service's own program was executed."""
        return float(next(n for n in self.notifications if n.startswith("X_BEGINS=")).partition("=")[2])

    def _state(self) -> str:
        return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
