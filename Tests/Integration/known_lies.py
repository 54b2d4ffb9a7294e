# SPDX-License-Identifier: Apache-2.0
"""Where `doctor` or `explain` are known to say what is not so: states by name, kinds of lie (states_seen.py), and why. A
state that is on this list and tells the truth is red: a correction takes it off. Run as a program, it prints the states."""

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
