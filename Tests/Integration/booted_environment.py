# SPDX-License-Identifier: Apache-2.0
"""The fixture of the cases on booted machines: one shared machine with the product enabled, and others that a case boots."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from environment import EARLY, KEYS, SETTINGS
from people import People
from testbed import Machine, Outcome, Person, Testbed
from testbed.booted import BootedMachine
from testbed.checks import require
from testbed.installed import TOOL, put_in_place
from testbed.machine import wait_for

__all__ = ["EARLY", "KEYS", "SETTINGS", "BootedEnvironment", "BootedHost"]

REOPENED = 15.0  # seconds until an sshd that was reloaded listens again, at the latest
DAEMON = "entralogind.service"
SOCKETS = ("entralogind-control.socket", "entralogind-principals.socket")


class BootedHost:
    """A booted machine with entralogin's daemon as one of its services."""

    def __init__(self, machine: BootedMachine, port: int) -> None:
        self.machine = machine
        self.port = port

    def ssh(self, person: Person, *command: str, **options: Any) -> Outcome:
        """Runs ssh, and again if nothing listens: at each reload, which `configure` causes, sshd closes its socket for a
        moment."""
        end = time.monotonic() + REOPENED
        while True:
            outcome = person.ssh(*command, port=self.port, **options)
            if "Connection refused" not in outcome.text or time.monotonic() > end:
                return outcome
            time.sleep(0.1)

    def tool(self, *arguments: str) -> Outcome:
        return self.machine.run(TOOL, *arguments)

    def is_ready(self) -> bool:
        """The daemon serves, knows the machine and has Entra's keys; the integration is verified."""
        status = self.machine.property(DAEMON, "StatusText")
        keys = self.machine.path(KEYS)
        return (status.startswith("Serving") and keys.exists() and keys.stat().st_size > 0
                and self.machine.path("/run/entralogin/stack-verified").exists())

    def wait_until_ready(self) -> None:
        try:
            wait_for(self.is_ready, "the daemon to know the machine and the keys, and the stack to be verified", 60)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {self._obstacles()}") from error

    def _obstacles(self) -> str:
        """What is missing, and what the integration check says."""
        failed = [line for line in self.tool("stack").text.splitlines() if line.startswith("FAILED")]
        said = self.machine.shell("journalctl -b -o short-monotonic --no-pager -u entralogind -u entralogin-stack"
                                  " | tail -n 12").text
        keys = self.machine.path(KEYS).exists()
        return f"keys {keys}; stack {failed}; {said}"

    def settings(self, text: str) -> None:
        """Writes other settings, or none, and restarts the daemon."""
        self.machine.write_file(SETTINGS, text)
        self.restart()

    def restart(self) -> None:
        self.machine.systemctl("restart", DAEMON)
        self.wait_until_ready()

    def freeze(self) -> None:
        self.machine.systemctl("kill", "--signal=STOP", DAEMON)

    def thaw(self) -> None:
        self.machine.systemctl("kill", "--signal=CONT", DAEMON)


class BootedEnvironment(People):
    def __init__(self, testbed: Testbed) -> None:
        super().__init__(testbed)
        self._next_port = 2200
        self._machines: list[BootedMachine] = []
        self._vm: BootedHost | None = None
        self.usual_boot: dict[str, float] = {}
        self.bare = self._prepared()
        self.enabled = self._enabled(self.bare)

    # Machines

    @property
    def vm(self) -> BootedHost:
        """The machine that the cases share. A case that breaks something there repairs it."""
        if self._vm is None:
            self._vm = self._booted("vm", 22, (self.enabled, self.bare))
            self._vm.machine.wait_until_up()
            self._vm.wait_until_ready()
        return self._vm

    @contextmanager
    def boot(self, name: str, product: bool = True, units: dict[str, str] | None = None,
             settings: str = "", audits: bool = False, base: Machine | None = None) -> Iterator[BootedHost]:
        """A machine for one case, just booting. `units`: drop-ins by the unit's name; `base`: a stopped machine that was made
        from the enabled one."""
        self._next_port += 1
        bases = (self.enabled, self.bare) if product else (self.bare,)
        bases = bases if base is None else (base, *bases)
        host = self._booted(name, self._next_port, bases, units or {}, settings, audits)
        try:
            yield host
        finally:
            host.machine.cut()

    def _booted(self, name: str, port: int, bases: tuple[Machine, ...], units: dict[str, str] | None = None,
                settings: str = "", audits: bool = False) -> BootedHost:
        machine = BootedMachine(self.testbed.scratch / f"booted-{name}-{len(self._machines)}", bases, boots=False,
                                audits=audits)
        machine.write_file("/etc/ssh/sshd_config.d/05-port.conf", f"Port {port}\n")
        for unit, text in (units or {}).items():
            machine.override(unit, text)
        if settings:
            machine.write_file(SETTINGS, settings)
        self._machines.append(machine)
        self.testbed.keep(machine)
        machine.boot()
        machine.show_true_boot_id()
        return BootedHost(machine, port)

    def _prepared(self) -> Machine:
        """Debian as an administrator has it, without the product."""
        machine = self.testbed.machine("bare")
        self.administer(machine)
        machine.write("/etc/hostname", "contoso-vm\n")
        # Installed for the cases that start them.
        machine.must("systemctl", "disable", "nscd.service", "systemd-userdbd.socket")
        machine.stop()
        return machine

    def _enabled(self, bare: Machine) -> Machine:
        """Runs `make install` and `configure --enable`, and enables the unit as configure does where systemd runs."""
        machine = self.testbed.machine("enabled", base=bare)
        put_in_place(machine)
        machine.must("systemctl", "enable", DAEMON)
        machine.stop()
        return machine

    # Between cases

    def settle(self) -> None:
        self.azure.clear_faults()
        if self._vm is not None:
            require(self._vm.machine.property(DAEMON, "ActiveState") == "active", "the shared daemon is not active")

    def recover(self) -> None:
        """Called after a failure, so that the next case has a working machine."""
        self.azure.clear_faults()
        if self._vm is not None:
            self._vm.machine.cut()
            self._vm = None

    def keep_logs(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for machine in self._machines:
            (folder / f"{machine.folder.name}-console.txt").write_text(machine.console())
        if self._vm is not None:
            text = self._vm.machine.run("journalctl", "--no-pager", "-o", "short-monotonic").out
            (folder / "vm-journal.txt").write_text(text)
