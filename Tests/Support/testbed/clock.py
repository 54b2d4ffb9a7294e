# SPDX-License-Identifier: Apache-2.0
"""The daemon's own clock, which a test sets ahead while it runs (clock.c)."""

from __future__ import annotations

import struct
from pathlib import Path

from .compiled import compiled
from .machine import HERE, Machine

_LIBRARY, _FILE = "/usr/lib/test-clock.so", "/usr/lib/test-clock"


class Clock:
    """Make it before the service starts; `environment` is what the service needs to use it."""

    def __init__(self, machine: Machine, scratch: Path) -> None:
        library = compiled(HERE / "clock.c", scratch, "-shared", "-fPIC")
        machine.write(_FILE, "")
        machine.path(_LIBRARY).write_bytes(library.read_bytes())
        self._file = machine.path(_FILE)
        self.environment = {"LD_PRELOAD": _LIBRARY, "TEST_CLOCK": _FILE}
        self.set()

    def set(self, wall: int = 0, boot: int = 0) -> None:
        """Sets how many seconds the clocks run ahead: the real-time clock, and those since boot."""
        with self._file.open("r+b" if self._file.stat().st_size else "wb") as file:
            file.write(struct.pack("=qq", wall, boot))

    def pass_by(self, seconds: int, wall: bool = True) -> None:
        """Moves the clocks ahead by that time; without `wall`, all but the real-time clock, by which certificates expire."""
        ahead, boot = struct.unpack("=qq", self._file.read_bytes())
        self.set(ahead + (seconds if wall else 0), boot + seconds)
