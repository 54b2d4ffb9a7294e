# SPDX-License-Identifier: Apache-2.0
"""A figure, its limit if it has one, and whether the limit holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from environment import Environment
from testbed import Machine
from testbed.checks import one_line
from testbed.compiled import compiled

FLOORS = Path(__file__).resolve().parent / "floors"


@dataclass(frozen=True)
class Figure:
    name: str
    seen: str
    good: bool | None = None  # None: printed only

    def line(self) -> str:
        word = {True: "ok", False: "BEYOND", None: ""}[self.good]
        return f"{word:7} {self.name}: {one_line(self.seen, 900)}"


def at_most(name: str, value: float, limit: float, seen: str) -> Figure:
    return Figure(name, f"{seen}; limit {limit:g}", value <= limit)


def at_least(name: str, value: float, limit: float, seen: str) -> Figure:
    return Figure(name, f"{seen}; at least {limit:g}", value >= limit)


def floor(env: Environment, name: str, *libraries: str) -> Path:
    """Compiles a program of `floors`, the lower bounds with which figures are compared; returns its path for this process."""
    return compiled(FLOORS / f"{name}.c", env.testbed.scratch / "floors", *libraries)


def floor_inside(env: Environment, machine: Machine, name: str, *libraries: str) -> str:
    """Puts such a program on a machine; returns its path there."""
    inside = f"/usr/local/bin/floor-{name}"
    machine.path(inside).write_bytes(floor(env, name, *libraries).read_bytes())
    machine.path(inside).chmod(0o755)
    return inside
