# SPDX-License-Identifier: Apache-2.0
"""One change of the accounts: how long the daemon takes to publish it, and what readers see meanwhile."""

from __future__ import annotations

import ctypes
import os
import select
import statistics
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from environment import STATE, Environment, Host
from figures import Figure, at_most
from residents import our_name, put_questions, record
from testbed.asking import ask
from testbed.checks import Wrong, equal, require
from testbed.installed import TOOL
from testbed.machine import wait_for

CHANGES, PUBLISHING_LIMIT_MS = 12, 50
STAYING = "/run/bench/staying"
LIBRARY = "/usr/lib/x86_64-linux-gnu/libnss_entralogin.so.2:entralogin"
_MOVED_TO = 0x80  # inotify(7): IN_MOVED_TO


class Renames:
    """Records each rename of a file into place: the monotonic time, and the processor time that the daemon has used by then."""

    def __init__(self, daemon: int, *folders: Path) -> None:
        self._threads = Path(f"/proc/{daemon}/task")
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_CLOEXEC)
        self._stop, self._told = os.pipe()
        for folder in folders:
            require(libc.inotify_add_watch(self._descriptor, str(folder).encode(), _MOVED_TO) > 0, f"inotify {folder}")
        self.seen: list[tuple[str, float, float]] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._told, b".")
        self._thread.join()
        for descriptor in (self._descriptor, self._stop, self._told):
            os.close(descriptor)

    def _watch(self) -> None:
        while self._stop not in select.select([self._descriptor, self._stop], [], [])[0]:
            data, now, used = os.read(self._descriptor, 4096), time.monotonic(), self._used()
            while data:
                (length,) = struct.unpack_from("=12xI", data)
                self.seen.append((data[16:16 + length].rstrip(b"\0").decode(), now, used))
                data = data[16 + length:]

    def _used(self) -> float:
        """The processor seconds of the daemon's threads (the first word of schedstat); a thread may end meanwhile."""
        used = 0
        for thread in self._threads.iterdir():
            with suppress(OSError):
                used += int((thread / "schedstat").read_text().split()[0])
        return used / 1e9


@contextmanager
def renames(host: Host) -> Iterator[Renames]:
    watched = Renames(host.service.pid, *(host.machine.path(folder) for folder in (STATE, f"{STATE}/nss")))
    try:
        yield watched
    finally:
        watched.close()


def readers(env: Environment, host: Host, operation: str, milliseconds: int) -> Future[str]:
    """Looks up accounts that do not change, without a pause, and compares each answer with the right one."""
    command = ["/usr/local/bin/lookups", LIBRARY, operation, "1", "20000000", str(milliseconds), STAYING]
    return env.aside(lambda: host.machine.must(*command).out)


@dataclass(frozen=True)
class Publishing:
    count: int
    wall: list[float]  # ms from the stored table to the published one, ascending
    whole: float  # ms, the shortest of the whole commands
    processor: float  # ms, the median
    answers: int  # that the readers got meanwhile

    def figures(self) -> list[Figure]:
        median = statistics.median(self.wall)
        return [at_most(f"publishing one change at {self.count:,} accounts, ms", median, PUBLISHING_LIMIT_MS,
                        f"median {median:.1f}, slowest {self.wall[-1]:.1f} of {len(self.wall)}, from the stored table "
                        f"to the published one (processor time {self.processor:.1f}); with storing it and the tool "
                        f"{self.whole:.0f}"),
                Figure("readers meanwhile",
                       f"{self.answers:,} answers about others, none wrong or missing; the retired are gone")]


def publishing(env: Environment, host: Host, count: int) -> Publishing:
    """Retires accounts one after the other, with `entraloginctl users retire`, while readers look other accounts up."""
    changes = min(CHANGES, count)
    put_questions(host.machine, env.testbed.scratch / "programs", count, entra=True)
    staying = "".join(record(n, entra=True) for n in range(count - changes))
    with renames(host) as watched:
        racing: list[Future[str]] = []
        if staying:
            host.machine.write(STAYING, staying)
            racing = [readers(env, host, operation, 1000 + 300 * changes) for operation in ("name", "uid")]
        times = [retire(env, host, watched, our_name(number)) for number in range(count - changes, count)]
        answers = [r.result().split() for r in racing]
    if any(words[5] != "0" for words in answers):
        raise Wrong(f"readers saw wrong answers: {answers}")
    return Publishing(count, sorted(t[0] for t in times), min(t[1] for t in times),
                      statistics.median(t[2] for t in times), sum(int(words[4]) for words in answers))


def retire(env: Environment, host: Host, watched: Renames, name: str) -> tuple[float, float, float]:
    """Retires an account. Returns in milliseconds: the time from the rename of the store to that of the published file, the
    time of the whole command, and the daemon's processor time between the two renames."""
    before, began = len(watched.seen), time.monotonic()
    host.machine.must(TOOL, "users", "retire", name)
    whole = (time.monotonic() - began) * 1000
    (answer,) = ask(host.machine, env.testbed.scratch / "programs", [f"name {name}"], "ls")
    equal(answer.ids, (), f"{name} after retiring")
    seen: dict[str, tuple[float, float]] = {}

    def both_renamed() -> bool:
        seen.update({file: (at, used) for file, at, used in watched.seen[before:]})
        return {"accounts", "accounts.snapshot"} <= seen.keys()

    wait_for(both_renamed, f"the renames of store and published file; seen: {watched.seen[before:]}")
    (stored, used_before), (published, used) = seen["accounts"], seen["accounts.snapshot"]
    return (published - stored) * 1000, whole, (used - used_before) * 1000
