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


KNOWN: tuple[Known, ...] = (
    Known("a home that root made and could not finish is finished at the next session; doctor takes it for another's",
          ("doctor-failed",),
          ("disk: /home is full", "disk: /home is full, before a start")),
    Known("sudo's own file and its choice of a plugin are not looked at",
          ("doctor-sudo-after", "doctor-sudo-before"),
          ("sudo: sudo is not setuid", "sudo: sudo is missing", "sudo: /etc/sudo.conf names another plugin")),
    Known("the daemon that runs has the number that it had; doctor and explain go by the new one",
          ("doctor-failed", "explain-no-administrator", "explain-no-newcomer", "explain-no-user", "remedy-files"),
          ("account: the user entralogin has another number",)),
)


def known(title: str) -> tuple[str, ...]:
    return tuple(kind for one in KNOWN if title in one.states for kind in one.kinds)


if __name__ == "__main__":
    print("\n".join(sorted({state for one in KNOWN for state in one.states})))
