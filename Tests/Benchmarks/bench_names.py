# SPDX-License-Identifier: Apache-2.0
"""The name service compared with SSSD's memory cache, and the cost of publishing: this part of `make bench-nss` is a gate."""

from __future__ import annotations

from dataclasses import replace

from cells import Cell
from contestants import entralogin_alone, others
from environment import Environment
from figures import Figure, at_most
from publishing import publishing
from rounds import CACHE, ENTRALOGIN, Key, provisional, rounds

ACCOUNTS, MANY = 500, 100_000
MOST_ROUNDS = 9  # the best values of all rounds count, because other work on the machine disturbs some rounds
# Limits with room for other work on the machine; the goals are printed beside them.
LIMITS = {("module", "name"): 1.25, ("module", "uid"): 1.25, ("module", "groups"): 1.25,
          ("glibc", "name"): 1.25, ("glibc", "uid"): 1.25, ("glibc", "groups"): 1.25}
STRANGER_LIMIT, PROVISIONAL_LIMIT, PROVISIONAL_GOAL = 0.5, 4, 1.5
CHECKED_LIMIT = 2
PUBLISHING_LIMIT_MS = 80  # of processor time


def name_service(env: Environment) -> list[Figure]:
    with entralogin_alone(env, ACCOUNTS) as (mine, host), others(env, ACCOUNTS, ("sssd",)) as rest:
        cells = rounds([mine, *(c for c in rest if c.title == CACHE)], (1,), MOST_ROUNDS, within_limits)
        new, checked, floor = provisional(env, host, mine)
    hit = cells[CACHE, "module", "name", 1]
    stranger = cells[ENTRALOGIN, "module", "missing", 1]
    ratio = new.median / floor.median
    return [*(compared(cells, way, operation) for way, operation in LIMITS),
            at_most("a stranger's name, entralogin / a hit of SSSD's memory cache", stranger.median / hit.median,
                    STRANGER_LIMIT, f"{stranger.median:.0f} ns / {hit.median:.0f} ns"),
            at_most("a name never seen, to sshd / a bare exchange over a socket", ratio, PROVISIONAL_LIMIT,
                    f"{ratio:.2f} ({new.text()} µs / {floor.text()} µs), {goal(ratio, PROVISIONAL_GOAL)}"),
            at_most("the same / our module and a daemon in C that makes the same checks", new.median / checked.median,
                    CHECKED_LIMIT, f"{new.median / checked.median:.2f} ({new.text()} µs / {checked.text()} µs), which is "
                    f"{checked.median / floor.median:.2f} of the bare exchange")]


def ratio_of(cells: dict[Key, Cell], way: str, operation: str) -> float:
    return cells[ENTRALOGIN, way, operation, 1].median / cells[CACHE, way, operation, 1].median


def within_limits(cells: dict[Key, Cell]) -> bool:
    return all(ratio_of(cells, way, operation) <= limit for (way, operation), limit in LIMITS.items())


def goal(value: float, wanted: float) -> str:
    return f"goal {wanted:g} {'reached' if value <= wanted else 'MISSED'}"


def compared(cells: dict[Key, Cell], way: str, operation: str) -> Figure:
    mine, theirs = cells[ENTRALOGIN, way, operation, 1], cells[CACHE, way, operation, 1]
    ratio = ratio_of(cells, way, operation)
    return at_most(f"{operation}, {'by the module alone' if way == 'module' else 'through glibc'}, "
                   "entralogin / SSSD's memory cache", ratio, LIMITS[way, operation],
                   f"{ratio:.2f}, {goal(ratio, 1)} (µs, median/99 %/99.9 %: {mine.text()} / {theirs.text()})")


def publication(env: Environment) -> list[Figure]:
    """Limits the processor time, which other work on the machine does not change much."""
    with entralogin_alone(env, MANY) as (_, host):
        seen = publishing(env, host, MANY)
    return [at_most(f"publishing one change at {MANY:,} accounts, ms of the processor", seen.processor,
                    PUBLISHING_LIMIT_MS, f"{seen.processor:.0f}"), *(replace(f, good=None) for f in seen.figures())]
