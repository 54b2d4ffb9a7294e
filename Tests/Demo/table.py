# SPDX-License-Identifier: Apache-2.0
"""The table of the demonstration: rows that look hard and print one line each."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from bed.checks import Mismatch, described, equal, one_line, require

__all__ = ["Mismatch", "equal", "play", "require", "row"]

if TYPE_CHECKING:
    from scene import Scene


Check = Callable[["Scene"], str]


@dataclass(frozen=True)
class Row:
    who: str
    does: str
    check: Check


TABLE: list[Row] = []


def row(who: str, does: str) -> Callable[[Check], Check]:
    """Puts a check into the table. It returns what was seen, in a few words, or raises `Mismatch`."""

    def add(check: Check) -> Check:
        TABLE.append(Row(who, does, check))
        return check

    return add


def play(scene: "Scene", chosen: str = "") -> int:
    """Runs the rows in order, or those whose text holds `chosen`; returns how many failed."""
    failed = 0
    for entry in TABLE:
        if chosen and chosen not in f"{entry.who} {entry.does}":
            continue
        began = time.monotonic()
        try:
            good, seen = True, entry.check(scene)
        except Mismatch as mismatch:
            good, seen = False, str(mismatch)
        except Exception as error:  # a row must not end the table
            good, seen = False, described(error)
        failed += not good
        milliseconds = (time.monotonic() - began) * 1000
        print(f"{'ok' if good else 'FAILED':6}  {milliseconds:6.0f} ms  {entry.who}: {entry.does}: {one_line(seen)}",
              flush=True)
    return failed
