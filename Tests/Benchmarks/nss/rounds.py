# SPDX-License-Identifier: Apache-2.0
"""Rounds of lookups: the name services take turns, so that a disturbance affects all of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench_signin import FLOOR_SOCKET, floor_server
from cells import OPERATIONS, Cell, best, measured
from contestants import Contestant
from environment import Environment, Host
from figures import floor_inside
from residents import RECORDS
from testbed.checks import require
from testbed.installed import REPOSITORY

ENTRALOGIN, CACHE = "entralogin", "sss, memory cache"
ROUNDS = 3
Key = tuple[str, str, str, int]  # contestant, route, operation, threads


def rounds(contestants: list[Contestant], threads: tuple[int, ...], count: int,
           enough: Callable[[dict[Key, Cell]], bool] = lambda _: False) -> dict[Key, Cell]:
    """Every cell of these contestants: the best of `count` rounds, or of fewer if the cells are `enough` by then."""
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
        if enough({key: best(cells) for key, cells in seen.items()}):
            break
    return {key: best(cells) for key, cells in seen.items()}


def provisional(env: Environment, host: Host, contestant: Contestant) -> tuple[Cell, Cell, Cell]:
    """Lookups of a new name, as by sshd; the same with a C server in the daemon's place that makes the daemon's checks and
    knows no account; and the lower bound (floor): an exchange with a C server that answers at once."""
    names = "/run/bench/newcomers"
    host.machine.write(names, "".join(f"newcomer{n:05}@contoso.com 1 1 / 1\n" for n in range(1000)))

    def asked() -> Cell:
        return some(measured(contestant, contestant.module, "present", 1, names, calls=20_000, command="sshd"))

    floor, ours_, checked = [], [], []
    for _ in range(ROUNDS):
        with floor_server(env, host.machine):
            floor.append(some(measured(contestant, f"socket:{FLOOR_SOCKET}", "name", 1, RECORDS, calls=20_000)))
        ours_.append(asked())
        with in_the_daemons_place(env, host):
            checked.append(asked())
    return best(ours_), best(checked), best(floor)


def some(cell: Cell | None) -> Cell:
    assert cell is not None
    return cell


@contextmanager
def in_the_daemons_place(env: Environment, host: Host) -> Iterator[None]:
    """Runs floors/namer.c at the path of the daemon's socket, which is moved aside inside the block."""
    wire = REPOSITORY / "Sources/Core/CWire"
    program = floor_inside(env, host.machine, "namer", f"-I{wire}/include", str(wire / "wire.c"), "-lcrypto")
    socket = host.machine.path("/run/entralogin/control.sock")
    aside = socket.with_suffix(".aside")
    socket.rename(aside)
    process = subprocess.Popen(host.machine.argv([program]), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        require(process.stdout.readline() == "ready\n", "the floor's name server does not start")
        yield
    finally:
        process.terminate()
        process.wait()
        aside.rename(socket)
