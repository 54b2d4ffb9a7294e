# SPDX-License-Identifier: Apache-2.0
"""Cases: each proves one sentence, carries the number of its promise, and prints one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, TypeVar


class SharedGround(Protocol):
    """What cases stand on, as far as playing them needs it. Each case knows its own ground."""

    def settle(self) -> None:
        """After a good case: raises `Mismatch` where the ground did not live through it."""

    def recover(self) -> None:
        """After a failure: the next case finds a working machine."""

    def keep_logs(self, folder: Path) -> None: ...


Row = TypeVar("Row")
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


def cases(promise: str, sentence: str, rows: Iterable[Row], every: int, attack: str = ""
          ) -> Callable[[Callable[[Any, Sequence[Row]], str]], object]:
    """Adds a check of a table as two cases: its first row and each `every`th after it in every run, the others with --deep."""
    table = list(rows)

    def add(check: Callable[[Any, Sequence[Row]], str]) -> object:
        for part, is_deep, mine in (("a sample", False, lambda place: place % every == 0),
                                    ("the rest", True, lambda place: place % every != 0)):
            chosen_rows = [row for place, row in enumerate(table) if mine(place)]

            @case(promise, f"{sentence} ({part})", is_deep, attack)
            @wraps(check)
            def play(ground: Any, rows: Sequence[Row] = chosen_rows) -> str:
                return check(ground, rows)
        return check

    return add


def chosen(only: list[str], deep: bool, attacks: bool = False) -> list[Case]:
    """Those whose name holds one of the words, or all of this tier; `attacks`: of these, the attacks alone."""
    if only:
        named = [c for c in CASES if any(word.lower() in c.name.lower() for word in only)]
    else:
        named = [c for c in CASES if deep or not c.deep]
    return [c for c in named if c.attack or not attacks]
