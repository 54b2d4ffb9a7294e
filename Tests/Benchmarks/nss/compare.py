# SPDX-License-Identifier: Apache-2.0
"""Compares name services in one run. `run` calls this inside the testbed's namespaces; the figures are in
Documentation/performance.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Integration"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cells import OPERATIONS, Cell
from contestants import MAKERS, Contestant, entralogin_alone, others
from environment import Environment
from programs import programs
from publishing import publishing
from rounds import CACHE, ENTRALOGIN, ROUNDS, Key, provisional, rounds
from testbed import Testbed
from testbed.checks import described
from testbed.installed import REPOSITORY

SIZES, THREADS = (1, 1000, 100_000), (1, 8)
PROVISIONAL_LIMIT = 1.5
RESULTS = REPOSITORY / ".testbed" / "last-bench-nss.json"


def show(size: int, threads: int, cells: dict[Key, Cell], contestants: list[Contestant]) -> None:
    print(f"\n{size:,} accounts, {threads} thread{'s' if threads > 1 else ''}: µs, median/99 %/99.9 %", flush=True)
    print(f"  {'':26} {'by name':>20} {'by uid':>20} {'getgrouplist':>20} {'missing':>20}")
    for contestant in contestants:
        for way, _ in contestant.routes():
            found = [cells.get((contestant.title, way, operation, threads)) for operation in OPERATIONS]
            texts = [f"{cell.text() if cell else 'no such entry':>20}" for cell in found]
            print(f"  {contestant.title + (', alone' if way == 'module' else ''):26} {' '.join(texts)}"
                  f"{'  (' + contestant.note + ')' if contestant.note else ''}")


def ratios(size: int, cells: dict[Key, Cell], threads: tuple[int, ...]) -> int:
    """Prints the ratios of entralogin's module to SSSD's memory cache, cell by cell; returns how many goals are missed."""
    missed = 0
    print(f"\n{size:,} accounts: entralogin / SSSD's memory cache, median and 99 % (goal: at most 1; for a stranger's name, "
          "which SSSD has no cache for, at most half of SSSD's hit)")
    for number in threads:
        for way in ("module", "glibc"):
            words = []
            for operation in OPERATIONS:
                mine, theirs = cells.get((ENTRALOGIN, way, operation, number)), cells.get((CACHE, way, operation, number))
                if operation == "missing":
                    theirs = cells.get((CACHE, way, "name", number))
                if mine is None or theirs is None or not (mine.p99 and theirs.p99):
                    continue
                median, slow = mine.median / theirs.median, mine.p99 / theirs.p99
                # Both include glibc's own search of /etc/passwd, which takes longer than the miss itself.
                good = median <= 0.5 or way == "glibc" if operation == "missing" else median <= 1 and slow <= 1
                missed += not good
                words.append(f"{operation} {median:.2f} {slow:.2f} {'ok' if good else 'BEYOND'}")
            print(f"  {number} thread{'s' if number > 1 else ' '} {'alone' if way == 'module' else 'glibc':6} "
                  f"{';  '.join(words)}")
    return missed


def compare(env: Environment, size: int, wanted: tuple[str, ...],
            threads: tuple[int, ...]) -> tuple[dict[str, object], int]:
    began = time.monotonic()
    numbers: dict[str, object] = {}
    with entralogin_alone(env, size) as (mine, host), others(env, size, wanted) as rest:
        prepared = time.monotonic() - began
        cells = rounds([mine, *(c for c in rest if c.title in (CACHE, "files"))], threads, ROUNDS)
        cells |= rounds([c for c in rest if c.title not in (CACHE, "files")], threads, 1)
        for number in threads:
            show(size, number, cells, [mine, *rest])
        missed = ratios(size, cells, threads) if any(c.title == CACHE for c in rest) else 0
        new, checked, floor = provisional(env, host, mine)
        good = new.median <= PROVISIONAL_LIMIT * floor.median
        missed += not good
        print(f"\n  a name never seen, to sshd: {new.text()} µs; a bare exchange over a socket: {floor.text()} µs; "
              f"with our module and its daemon's checks, all in C: {checked.text()} µs, "
              f"{checked.median / floor.median:.2f}; entralogin {new.median / floor.median:.2f}, limit {PROVISIONAL_LIMIT} "
              f"{'ok' if good else 'BEYOND'}")
        if size == 1000:
            programs(env, [mine, *(c for c in rest if c.title in (CACHE, "files"))])
        for line in publishing(env, host, size).figures():  # last: it retires some accounts
            print(f"  {line.line()}")
            missed += line.good is False
    print(f"  ({prepared:.0f} s to prepare, {time.monotonic() - began:.0f} s in all; load {os.getloadavg()[0]:.1f})",
          flush=True)
    numbers["cells"] = [{"who": k[0], "way": k[1], "operation": k[2], "threads": k[3], **c.as_numbers()}
                        for k, c in cells.items()]
    numbers["provisional"] = {"ours": new.as_numbers(), "checked": checked.as_numbers(), "floor": floor.as_numbers()}
    return numbers, missed


def main() -> int:
    options = argparse.ArgumentParser(prog="run", description="Name services side by side.")
    options.add_argument("--size", type=int, action="append", help=f"accounts; without: {SIZES}")
    options.add_argument("--only", action="append", choices=list(MAKERS), help="others to compare with")
    options.add_argument("--threads", type=int, action="append", help=f"without: {THREADS}")
    asked = options.parse_args()
    missed, results = 0, {}
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; each column the least of {ROUNDS} "
          "rounds for entralogin, files and SSSD's cache, else of one", flush=True)
    with Testbed() as testbed:
        env = Environment(testbed)
        for size in asked.size or SIZES:
            try:
                wanted, threads = tuple(asked.only or MAKERS), tuple(asked.threads or THREADS)
                results[size], beyond = compare(env, size, wanted, threads)
                missed += beyond
            except Exception as error:  # noqa: BLE001  one size must not end the others
                missed += 1
                print(f"  {size:,} accounts: {described(error)}", flush=True)
    RESULTS.write_text(json.dumps(results, indent=1))
    print(f"\nbench-nss: {missed} goals missed; every answer was checked; all numbers: "
          f"{RESULTS.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
