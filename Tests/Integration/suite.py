# SPDX-License-Identifier: Apache-2.0
"""A suite from its command line to its summary: the same for machines in a private root and for booted ones."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bed import Bed
from bed.installed import REPOSITORY
from case import CASES, SharedGround, chosen, play
from people import CROWD

G = TypeVar("G", bound=SharedGround)


def main(name: str, description: str, prepared: Callable[[Bed], G]) -> int:
    """Plays what the arguments ask for, on the ground that `prepared` makes; the exit status."""
    options = argparse.ArgumentParser(prog=f"run ({name})", description=description)
    options.add_argument("--deep", action="store_true", help="the slow tier too")
    options.add_argument("--attacks", action="store_true", help="attacks alone (see case.py)")
    options.add_argument("--only", action="append", default=[], metavar="WORDS", help="cases whose name holds them")
    options.add_argument("--list", action="store_true", help="name the cases")
    asked = options.parse_args()
    cases = chosen(asked.only, asked.deep, asked.attacks)
    if asked.list:
        print("\n".join(f"{'deep' if c.deep else '':5}{c.name}" for c in CASES))
        return 0
    if not cases:
        print(f"{name}: no case is called that; --list names them")
        return 2
    logs = REPOSITORY / ".bed" / f"last-{name}"
    began = time.monotonic()
    with Bed(crowd=CROWD) as bed:
        try:
            ground = prepared(bed)
        except (RuntimeError, TimeoutError, OSError) as error:
            print(f"FAILED  preparation: {error}")
            return 1
        print(f"prepared in {time.monotonic() - began:.1f} s", flush=True)
        failed = play(ground, cases)
        ground.keep_logs(logs)
    return _summary(name, len(cases), failed, time.monotonic() - began, logs)


def _summary(name: str, played: int, failed: list[str], seconds: float, logs: Path) -> int:
    print(f"\n{name}: {played - len(failed)} passed, {len(failed)} failed; {seconds:.0f} s; "
          f"logs: {logs.relative_to(REPOSITORY)}/")
    for entry in failed:
        print(f"  FAILED  {entry}")
    return 1 if failed else 0
