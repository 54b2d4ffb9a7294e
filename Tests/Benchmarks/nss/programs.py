# SPDX-License-Identifier: Apache-2.0
"""Programs whose speed users notice: `ls -l` of many files, `find -nouser`, and `getent`, which has loaded nothing yet."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from contestants import Contestant
from environment import Environment
from figures import floor_inside
from residents import RECORDS
from testbed.checks import equal

LISTED, SEARCHED, FOLDERS, ROUNDS, STARTS = 10_000, 100_000, 100, 5, 200


def owners(contestant: Contestant) -> list[tuple[str, int]]:
    lines = [line.split() for line in contestant.machine.read(RECORDS).splitlines()]
    return [(words[0], int(words[1])) for words in lines]


def make_files(contestant: Contestant) -> None:
    people = owners(contestant)
    top = contestant.machine.path("/tmp/many")
    for number in range(SEARCHED):
        folder = top / f"{number // (SEARCHED // FOLDERS):03}"
        if number % (SEARCHED // FOLDERS) == 0:
            folder.mkdir(parents=True)
        make(folder / f"{number:06}", people[number % len(people)])
    (top / "listed").mkdir()
    for number in range(LISTED):
        make(top / "listed" / f"{number:05}", people[number % len(people)])


def make(path: Path, owner: tuple[str, int]) -> None:
    """Makes a file. All files have one group: private groups, which only Entra accounts have here, would double the lookups."""
    os.mknod(path)
    os.chown(path, owner[1], 0)


def listing(contestant: Contestant) -> float:
    outcome = contestant.machine.must("/usr/bin/ls", "-l", "/tmp/many/listed")
    people = owners(contestant)
    named = sum(line.split()[2] == people[n % len(people)][0] for n, line in enumerate(outcome.lines()[1:]))
    equal(named, LISTED, f"files that ls -l shows with their owner's name ({contestant.title})")
    return outcome.milliseconds


def search(contestant: Contestant) -> float:
    outcome = contestant.machine.must("/usr/bin/find", "/tmp/many", "-nouser")
    equal(outcome.out, "", f"files of nobody ({contestant.title})")
    return outcome.milliseconds


def start(env: Environment, contestant: Contestant) -> tuple[float, float]:
    """The median microseconds of whole runs: getent of one name, and a program that does nothing, in turn."""
    timed = floor_inside(env, contestant.machine, "timed")
    who = owners(contestant)[0][0]
    pair = ("/usr/bin/getent", "passwd", who, "--", "/usr/bin/true")
    words = contestant.machine.must(timed, str(STARTS), *pair).out.split()
    equal((words[1], words[3]), ("0", "0"), f"failures of getent ({contestant.title})")
    return float(words[0]), float(words[2])


def programs(env: Environment, contestants: list[Contestant]) -> None:
    """Prints the medians of the programs, which are run in turn on all machines."""
    for contestant in contestants:
        make_files(contestant)
    lists: dict[str, list[float]] = {c.title: [] for c in contestants}
    searches: dict[str, list[float]] = {c.title: [] for c in contestants}
    for _ in range(ROUNDS):
        for contestant in contestants:
            lists[contestant.title].append(listing(contestant))
            searches[contestant.title].append(search(contestant))
    print(f"\nls -l of {LISTED:,} files, find -nouser over {SEARCHED:,} files (1,000 owners), cold getent; ms")
    for contestant in contestants:
        cold, nothing = start(env, contestant)
        print(f"  {contestant.title:20} ls -l {statistics.median(lists[contestant.title]):6.0f}   "
              f"find {statistics.median(searches[contestant.title]):6.0f}   "
              f"getent {cold / 1000:6.2f} (a program that does nothing: {nothing / 1000:.2f})")
