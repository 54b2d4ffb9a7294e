# SPDX-License-Identifier: Apache-2.0
"""Rounds of look-ups: everybody in turn, so that what disturbs one disturbs the other."""

from __future__ import annotations

from bench_signin import FLOOR_SOCKET, floor_server
from cells import OPERATIONS, Cell, best, measured
from contestants import Contestant
from ground import Ground, Site
from residents import RECORDS

OURS, CACHE = "entralogin", "sss, memory cache"
ROUNDS = 3
Key = tuple[str, str, str, int]  # contestant, route, operation, threads


def rounds(contestants: list[Contestant], threads: tuple[int, ...], count: int) -> dict[Key, Cell]:
    """Every cell of these contestants; of each the best of so many rounds."""
    seen: dict[Key, list[Cell]] = {}
    for _ in range(count):
        for operation in OPERATIONS:
            for route in range(2):
                for number in threads:
                    for contestant in contestants:
                        way, path = contestant.routes()[route]
                        cell = measured(contestant, path, operation, number)
                        if cell is not None:
                            seen.setdefault((contestant.title, way, operation, number), []).append(cell)
    return {key: best(cells) for key, cells in seen.items()}


def provisional(ground: Ground, site: Site, contestant: Contestant) -> tuple[Cell, Cell]:
    """A name never seen, asked for as sshd does, and the floor: an exchange with a server in C that does nothing."""
    floor, ours_ = [], []
    names = "/run/bench/newcomers"
    site.machine.write(names, "".join(f"newcomer{n:05}@contoso.com 1 1 / 1\n" for n in range(1000)))
    with floor_server(ground, site.machine):
        for _ in range(ROUNDS):
            bare = measured(contestant, f"socket:{FLOOR_SOCKET}", "name", 1, RECORDS, calls=20_000)
            new = measured(contestant, contestant.module, "present", 1, names, calls=20_000, command="sshd")
            assert bare is not None and new is not None
            floor.append(bare)
            ours_.append(new)
    return best(ours_), best(floor)
