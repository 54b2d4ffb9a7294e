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
    every_part: bool
    alone: bool


CASES: list[Case] = []


def case(promise: str, sentence: str, deep: bool = False, attack: str = "", every_part: bool = False,
         alone: bool = False) -> Callable[[Check], Check]:
    """Adds a check. It returns what was seen, in a few words, or raises `Mismatch`. `deep`: with --deep only. `attack`: the
    attack's number in Documentation/attacks.md; such a case proves with a control that the attack works without the fix.
    `every_part`: it looks at what the other cases left, so each part of a run plays it. `alone`: it asks much of the processors
    and of deadlines at once, so no part plays it, but a run of its own (--alone)."""

    def add(check: Check) -> Check:
        CASES.append(Case(f"{promise}: {sentence}", check, deep, attack, every_part, alone))
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


@dataclass(frozen=True)
class Part:
    """One of several runs that play a suite's cases between them, each its own files."""

    number: int
    count: int

    @classmethod
    def parsed(cls, text: str) -> Part:
        """As an option's value: 1/2 is the first of two. Raises `ValueError`."""
        part = cls(*map(int, text.split("/")))
        if not 1 <= part.number <= part.count:
            raise ValueError(text)
        return part

    def of(self, wanted: list[Case]) -> list[Case]:
        """Whole files, each in the turn in which the suite imports it: neighbours share what their file has set up."""
        files = list(dict.fromkeys(case.check.__module__ for case in CASES))
        shared = [c for c in wanted if not c.alone]
        return [c for c in shared if c.every_part or files.index(c.check.__module__) % self.count == self.number - 1]
