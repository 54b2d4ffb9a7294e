# SPDX-License-Identifier: Apache-2.0
"""Asks the machine's name service many questions from one process of a chosen name (names.c)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .compiled import placed
from .machine import Machine


@dataclass(frozen=True)
class Answer:
    microseconds: float
    ids: tuple[int, ...]  # the uid, or the gids; empty if there is none


def place(machine: Machine, scratch: Path) -> str:
    """The program's path inside the machine."""
    return placed(machine, "names.c", scratch)


def ask(machine: Machine, scratch: Path, questions: Iterable[str], name: str = "sshd",
        user: str | None = None, files: int = 0) -> list[Answer]:
    """One answer for each question: "name X", "uid N" or "groups X". `files`: descriptors that the process holds."""
    text = "".join(f"{question}\n" for question in questions)
    command = [place(machine, scratch), name, str(files)]
    limit = ["/usr/bin/prlimit", f"--nofile={files + 100}"] if files else []
    outcome = machine.must(*limit, *command, input=text, user=user, timeout=120)
    return [_parsed(line) for line in outcome.out.splitlines()]


@contextmanager
def asker(machine: Machine, scratch: Path, name: str = "ls", user: str | None = None
          ) -> Iterator[Callable[[list[str]], list[Answer]]]:
    """Yields a function that asks like `ask`, but always in the same process: for answers that change."""
    argv = machine.argv([place(machine, scratch), name], user)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        questions, answers = process.stdin, process.stdout
        assert questions is not None and answers is not None

        def put(asked: list[str]) -> list[Answer]:
            questions.write("".join(f"{question}\n" for question in asked))
            questions.flush()
            return [_parsed(answers.readline()) for _ in asked]

        yield put
        questions.close()


def _parsed(line: str) -> Answer:
    microseconds, *ids = line.split()
    return Answer(float(microseconds), tuple(int(i) for i in ids if i != "-"))
