# SPDX-License-Identifier: Apache-2.0
"""A PAM client of any service and any command name, and of any process number (pam.c, atpid.c)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .compiled import placed
from .machine import Machine

SUCCESS, DENIED, UNKNOWN, UNAVAILABLE, SESSION_ERROR = 0, 6, 10, 9, 14  # security/_pam_types.h


@dataclass(frozen=True)
class Stages:
    """PAM's answers: a result for each stage that was reached, and its message for the user."""

    pid: int
    results: dict[str, int]
    told: dict[str, str]

    @property
    def opened(self) -> bool:
        """Whether every stage that was reached succeeded, and the session was opened."""
        return self.results.get("open") == SUCCESS and set(self.results.values()) == {SUCCESS}


def ask(machine: Machine, scratch: Path, service: str, user: str, stages: Sequence[str] = ("account",),
        name: str = "client", environment: Mapping[str, str] | None = None, files: int = 0, pid: int | None = None,
        runs_as: str | None = None) -> Stages:
    """Asks as a process called `name`, as root or as `runs_as`; with `pid`, with that process id."""
    command = [placed(machine, "pam.c", scratch, "-lpam"), name, service, user, str(files)]
    command += [f"{key}={value}" for key, value in (environment or {}).items()]
    limit = ["/usr/bin/prlimit", f"--nofile={files + 100}"] if files else []
    at = [placed(machine, "atpid.c", scratch), str(pid)] if pid is not None else []
    outcome = machine.run(*limit, *at, *command, *stages, user=runs_as)
    if outcome.status > 1:
        raise RuntimeError(f"{' '.join(command)}: exit status {outcome.status}\n{outcome.text}")
    number, *lines = outcome.lines()
    parts = [line.split(" ", 2) for line in lines]
    return Stages(int(number), {p[0]: int(p[1]) for p in parts}, {p[0]: p[2] if len(p) > 2 else "" for p in parts})
