# SPDX-License-Identifier: Apache-2.0
"""Known wrong answers of `doctor` or `explain`: states by name, kinds of lie (states_seen.py), and why. A state on this list
that gives the right answer fails, so a correction has to remove it. Run as a program, this prints the states."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    why: str
    kinds: tuple[str, ...]
    states: tuple[str, ...]


KNOWN: tuple[Known, ...] = ()


def known(title: str) -> tuple[str, ...]:
    return tuple(kind for one in KNOWN if title in one.states for kind in one.kinds)


if __name__ == "__main__":
    print("\n".join(sorted({state for one in KNOWN for state in one.states})))
