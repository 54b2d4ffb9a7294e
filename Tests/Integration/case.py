# SPDX-License-Identifier: Apache-2.0
"""Cases: each proves one sentence, carries the number of its promise, and prints one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bed.checks import Mismatch, Wrong, described, one_line
from bed.stalls import TRIES, Stalls


class SharedGround(Protocol):
    """What cases stand on, as far as playing them needs it. Each case knows its own ground."""

    def settle(self) -> None:
        """After a good case: raises `Mismatch` where the ground did not live through it."""

    def recover(self) -> None:
        """After a failure: the next case finds a working machine."""

    def keep_logs(self, folder: Path) -> None: ...


Check = Callable[[Any], str]


@dataclass(frozen=True)
class Case:
    name: str
    check: Check
    deep: bool
    attack: str


CASES: list[Case] = []


def case(promise: str, sentence: str, deep: bool = False, attack: str = "") -> Callable[[Check], Check]:
    """Adds a check. It returns what was seen, in a few words, or raises `Mismatch`. `deep`: with --deep only. `attack`: the
    attack's number in Documentation/attacks.md; such a case proves with a control that the attack works without the fix."""

    def add(check: Check) -> Check:
        CASES.append(Case(f"{promise}: {sentence}", check, deep, attack))
        return check

    return add


def chosen(only: list[str], deep: bool, attacks: bool = False) -> list[Case]:
    """Those whose name holds one of the words, or all of this tier; `attacks`: of these, the attacks alone."""
    if only:
        named = [c for c in CASES if any(word.lower() in c.name.lower() for word in only)]
    else:
        named = [c for c in CASES if deep or not c.deep]
    return [c for c in named if c.attack or not attacks]


def play(ground: SharedGround, cases: list[Case]) -> list[str]:
    """Runs them in order; returns the names of those that failed. One that failed while the machine stood still is
    played again (`bed.stalls`)."""
    stalls = Stalls()
    return [entry.name for entry in cases if not _holds(ground, entry, stalls)]


def _holds(ground: SharedGround, entry: Case, stalls: Stalls) -> bool:
    for tries_left in reversed(range(TRIES)):
        began = time.monotonic()
        good, seen, is_final = _played(ground, entry)
        milliseconds = (time.monotonic() - began) * 1000
        excuse = stalls.excuse(began) if tries_left > 0 and not is_final else ""
        print(f"{'ok' if good else 'again' if excuse else 'FAILED':6}  {milliseconds:6.0f} ms  {entry.name}: "
              f"{excuse and excuse + ': '}{one_line(seen, 300 if good else 1200)}", flush=True)
        if good or not excuse:
            return good
    return False


def _played(ground: SharedGround, entry: Case) -> tuple[bool, str, bool]:
    """Whether the case holds, what was seen, and whether that is the last word. After a failure the next one finds a
    working machine."""
    is_final = False
    try:
        seen = entry.check(ground)
        ground.settle()
        return True, seen, True
    except Mismatch as mismatch:
        seen, is_final = str(mismatch), isinstance(mismatch, Wrong)
    except Exception as error:  # noqa: BLE001  a case must not end the others
        seen = described(error)
    ground.recover()
    return False, seen, is_final
