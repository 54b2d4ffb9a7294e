# SPDX-License-Identifier: Apache-2.0
"""Checks of a test's results, whose errors say what was seen instead."""

from __future__ import annotations

import traceback

from .machine import Outcome


class Mismatch(Exception):
    """A check failed: the result is not the required one."""


class Wrong(Mismatch):
    """A failure that no missed deadline can explain: a user was admitted, or an answer was for another request. A missed
    deadline admits no user and gives no answer. A check that fails with it is never repeated (`testbed.stalls`)."""


def require(condition: bool, seen: object) -> None:
    if not condition:
        raise Mismatch(str(seen))


def equal(seen: object, expected: object, what: str) -> None:
    if seen != expected:
        raise Mismatch(f"{what}: {seen!r} instead of {expected!r}")


def refused(outcome: Outcome, *words: str) -> str:
    """Requires that ssh did not sign in and ran nothing, and that the output contains the words."""
    if outcome.ok:
        raise Wrong(f"let in: {outcome.text}")
    require(outcome.status == 255 and outcome.out == "", f"not refused: status {outcome.status}, {outcome.text}")
    for word in words:
        require(word in outcome.text, f"the screen does not say {word!r}: {outcome.text}")
    return outcome.text


def admitted(outcome: Outcome, output: str | None = None) -> str:
    require(outcome.ok, f"refused or failed: status {outcome.status}, {outcome.text}")
    if output is not None:
        equal(outcome.out, output, f"output ({outcome.text.strip()})")
    return outcome.out


def described(error: Exception) -> str:
    """Describes an unexpected error, with the line that raised it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename.rsplit('/', 1)[-1]}:{last.lineno})"


def one_line(text: str, limit: int = 600) -> str:
    line = " | ".join(part.strip() for part in text.strip().splitlines() if part.strip())
    return line if len(line) < limit else line[:limit] + "…"
