# SPDX-License-Identifier: Apache-2.0
"""Cases: each proves one sentence, carries the number of its promise, and prints one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Protocol, TypeVar


class SharedEnvironment(Protocol):
    """The part of a fixture that running cases needs. Each case knows its own fixture."""

    def settle(self) -> None:
        """Called after a case that passed: raises `Mismatch` if the fixture did not survive it."""

    def recover(self) -> None:
        """Called after a failure, so that the next case has a working machine."""

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
    `every_part`: it checks what the other cases left, so each part of a run includes it. `alone`: it loads the processors and
    has deadlines, so it belongs to no part and has a run of its own (--alone)."""

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
            def run_rows(env: Any, rows: Sequence[Row] = chosen_rows) -> str:
                return check(env, rows)
        return check

    return add


def chosen(only: list[str], deep: bool, attacks: bool = False) -> list[Case]:
    """The cases whose name contains one of the words, or all of this tier; `attacks`: only the attacks among them."""
    if only:
        named = [c for c in CASES if any(word.lower() in c.name.lower() for word in only)]
    else:
        named = [c for c in CASES if deep or not c.deep]
    return [c for c in named if c.attack or not attacks]


@dataclass(frozen=True)
class Part:
    """One of several runs that share a suite's cases, by files."""

    number: int
    count: int

    @classmethod
    def parsed(cls, text: str) -> Part:
        """Parses an option's value: 1/2 is the first of two. Raises `ValueError`."""
        part = cls(*map(int, text.split("/")))
        if not 1 <= part.number <= part.count:
            raise ValueError(text)
        return part

    def of(self, wanted: list[Case]) -> list[Case]:
        """The cases of this part: whole files, in the order in which the suite imports them. A file's cases share its setup."""
        files = list(dict.fromkeys(case.check.__module__ for case in CASES))
        shared = [c for c in wanted if not c.alone]
        return [c for c in shared if c.every_part or files.index(c.check.__module__) % self.count == self.number - 1]
