# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the daemon's path units: runs the service of the same name when the file changes."""

from __future__ import annotations

import shlex
import threading
from pathlib import Path

from . import units
from .machine import Machine

INTERVAL = 0.05  # seconds


class PathWatch:
    """Watches from the moment it is made, as a path unit does once it is started: it does not see earlier changes."""

    def __init__(self, machine: Machine, name: str) -> None:
        self._machine = machine
        self._paths = [machine.path(path) for path in units.service_unit(machine.root, name).all("Path", "PathChanged")]
        service = units.service_unit(machine.root, Path(name).stem + ".service")
        self._command = shlex.split(service.one("Service", "ExecStart"))
        self._seen = self._look()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Handles the changes so far, then ends."""
        self._ending.set()
        self._thread.join()

    def _look(self) -> list[tuple[int, int, int] | None]:
        seen: list[tuple[int, int, int] | None] = []
        for path in self._paths:
            try:
                status = path.lstat()
                seen.append((status.st_ino, status.st_mtime_ns, status.st_size))
            except OSError:
                seen.append(None)
        return seen

    def _watch(self) -> None:
        while True:
            last_round = self._ending.wait(INTERVAL)
            now = self._look()
            if now != self._seen:
                self._seen = now
                try:
                    self._machine.run(*self._command)
                except Exception:  # noqa: BLE001  the machine is gone
                    return
            if last_round:
                return
