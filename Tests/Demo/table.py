# SPDX-License-Identifier: Apache-2.0
"""The table of the demonstration: rows that check and print one line each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.checks import Mismatch, Wrong, described, equal, one_line, require
from testbed.stalls import TRIES, Stalls

__all__ = ["Mismatch", "equal", "require", "row", "run_table"]

if TYPE_CHECKING:
    from fixture import Fixture


Check = Callable[["Fixture"], str]


@dataclass(frozen=True)
class Row:
    who: str
    does: str
    check: Check


TABLE: list[Row] = []


def row(who: str, does: str) -> Callable[[Check], Check]:
    """Adds a check to the table. The check returns in a few words what it saw, or raises `Mismatch`."""

    def add(check: Check) -> Check:
        TABLE.append(Row(who, does, check))
        return check

    return add


def run_table(fixture: Fixture, chosen: str = "") -> int:
    """Runs the rows whose text contains `chosen`, in order; returns how many failed. A row that failed while the machine did
    not run is run again (`testbed.stalls`)."""
    stalls = Stalls()
    rows = [entry for entry in TABLE if not chosen or chosen in f"{entry.who} {entry.does}"]
    return sum(not _holds(fixture, entry, stalls) for entry in rows)


def _holds(fixture: Fixture, entry: Row, stalls: Stalls) -> bool:
    for tries_left in reversed(range(TRIES)):
        began = time.monotonic()
        good = is_final = False
        try:
            good, seen = True, entry.check(fixture)
        except Mismatch as mismatch:
            seen, is_final = str(mismatch), isinstance(mismatch, Wrong)
        except Exception as error:  # noqa: BLE001  a row must not end the table
            seen = described(error)
        milliseconds = (time.monotonic() - began) * 1000
        excuse = stalls.excuse(began) if tries_left > 0 and not good and not is_final else ""
        print(f"{'ok' if good else 'again' if excuse else 'FAILED':6}  {milliseconds:6.0f} ms  {entry.who}: {entry.does}: "
              f"{excuse and excuse + ': '}{one_line(seen)}", flush=True)
        if good or not excuse:
            return good
    return False
