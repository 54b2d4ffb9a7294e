# SPDX-License-Identifier: Apache-2.0
"""One cell of the comparison: a name service, the route to it, an operation, a number of threads."""

from __future__ import annotations

from dataclasses import dataclass

from contestants import Contestant
from residents import RECORDS, SAMPLE, STRANGERS
from testbed.checks import Mismatch, Wrong

OPERATIONS = {"name": RECORDS, "uid": RECORDS, "groups": SAMPLE, "missing": STRANGERS}
CALLS, LIMIT_MS = 100_000, 400
TRIES = 5  # how often a round is run, if a late answer ends it


@dataclass(frozen=True)
class Cell:
    """Nanoseconds of one call; a quantile is None if there were too few calls for it."""

    median: float
    p99: float | None
    p999: float | None
    calls: int
    wrong: int  # wrong answers of another product's module

    def text(self) -> str:
        quantiles = "/".join(microseconds(v) for v in (self.median, self.p99, self.p999))
        return f"{quantiles} {self.wrong} wrong" if self.wrong else quantiles

    def as_numbers(self) -> dict[str, float | None]:
        return {"p50": self.median, "p99": self.p99, "p99.9": self.p999, "calls": self.calls, "wrong": self.wrong}


def microseconds(nanoseconds: float | None) -> str:
    if nanoseconds is None:
        return "-"
    value = nanoseconds / 1000
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def measured(contestant: Contestant, route: str, operation: str, threads: int, records: str = "",
             milliseconds: int = LIMIT_MS, calls: int = CALLS, command: str = "lookups") -> Cell | None:
    """None if the module has no such entry point. A wrong answer of entralogin's module is an error. The machine is the cause
    of a late answer (see lookups.c): it is printed, and the round is repeated."""
    what = f"{contestant.title}, {route}, {operation}"
    for _ in range(TRIES):
        seen = contestant.run(route, operation, str(threads), str(max(1, calls // threads)), str(milliseconds),
                              records or OPERATIONS[operation], command)
        line = seen.out.strip()
        if line == "none":
            return None
        median, p99, p999, _, made, wrong, late = (float(part) for part in line.split())
        if wrong > 0 and contestant.is_entralogins:
            raise Wrong(f"{what}: {wrong:.0f} of {made:.0f} answers are wrong: {seen.err.strip()}")
        if not late:
            return Cell(median, p99 if made >= 200 else None, p999 if made >= 2000 else None, int(made), int(wrong))
        print(f"{'':8}({what}: after {made:.0f} answers one was late; the round is taken once more)", flush=True)
    raise Mismatch(f"{what}: an answer was late in each of {TRIES} rounds")


def best(cells: list[Cell]) -> Cell:
    """The least value of each column over several rounds: the one that other work on the machine disturbed least."""

    def least(values: list[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return min(known) if known else None

    return Cell(min(c.median for c in cells), least([c.p99 for c in cells]), least([c.p999 for c in cells]),
                sum(c.calls for c in cells), sum(c.wrong for c in cells))
