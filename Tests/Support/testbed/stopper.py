# SPDX-License-Identifier: Apache-2.0
"""Stops a command, and all that it starts, at one of its calls that change a folder (stopper.c)."""

from __future__ import annotations

from pathlib import Path

from .compiled import compiled
from .machine import HERE, Machine, Outcome

_LIBRARY, _COUNTER = "/usr/lib/test-stopper.so", "/run/test-stopper"


def library(scratch: Path) -> Path:
    return compiled(HERE / "stopper.c", scratch, "-shared", "-fPIC", "-ldl")


class Stopper:
    def __init__(self, machine: Machine, scratch: Path) -> None:
        self._machine = machine
        machine.path(_LIBRARY).write_bytes(library(scratch).read_bytes())

    def run(self, mode: str, at: int, *command: str, word: str = "") -> tuple[Outcome, str]:
        """The command's outcome, and the call at which it was stopped; empty if it made fewer calls. `word`: counts the
        calls whose path contains it, and no others."""
        for path in (_COUNTER, f"{_COUNTER}.where"):
            self._machine.remove(path)
        asked = f"STOPPER={mode}:{at}:{_COUNTER}" + (word and f":{word}")
        outcome = self._machine.run("/usr/bin/env", f"LD_PRELOAD={_LIBRARY}", asked, *command, timeout=180)
        where = self._machine.path(f"{_COUNTER}.where")
        return outcome, where.read_text().strip() if where.exists() else ""

    def calls(self) -> int:
        """How many such calls the last command made."""
        return self._machine.path(_COUNTER).stat().st_size
