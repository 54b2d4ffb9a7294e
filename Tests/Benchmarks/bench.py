# SPDX-License-Identifier: Apache-2.0
"""Measures what has a limit: `run` calls this inside the bed's namespaces. One line for each figure."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

sys.path[:0] = [str(Path(__file__).resolve().parent / "nss"), str(Path(__file__).resolve().parents[1] / "Integration")]

from bed import Bed
from bed.checks import described
from bench_counts import instructions, sizes, system_calls
from bench_daemon import certificates_a_second, memory, readiness
from bench_names import name_service, publication
from bench_signin import helper, warm_sign_in
from figures import Figure
from ground import CROWD, Ground


@dataclass(frozen=True)
class Measure:
    name: str
    take: Callable[[Ground], list[Figure]]


MEASURES = (
    Measure("sign-in", warm_sign_in),
    Measure("helper", helper),
    Measure("certificates", certificates_a_second),
    Measure("system calls", system_calls),
    Measure("instructions", instructions),
    Measure("sizes", sizes),
    Measure("name service", name_service),
    Measure("publication", publication),
    Measure("readiness", readiness),
    Measure("memory", memory),
)


def main() -> int:
    options = argparse.ArgumentParser(prog="run", description="The limits, measured.")
    options.add_argument("--gate", action="store_true", help="fail where a limit does not hold")
    options.add_argument("--only", action="append", default=[], metavar="WORDS", help="measures whose name holds them")
    asked = options.parse_args()
    began, failed, taken = time.monotonic(), 0, 0
    with Bed(crowd=CROWD) as bed:
        ground = Ground(bed)
        for measure in MEASURES:
            if asked.only and not any(word in measure.name for word in asked.only):
                continue
            started = time.monotonic()
            try:
                figures = measure.take(ground)
            except Exception as error:  # one measure must not end the others
                figures = [Figure(measure.name, described(error), good=False)]
            for figure in figures:
                taken += 1
                failed += figure.good is False
                print(figure.line(), flush=True)
            print(f"{'':8}({measure.name}: {time.monotonic() - started:.0f} s)", flush=True)
    print(f"\nbench: {taken} figures, {failed} beyond their limit; {time.monotonic() - began:.0f} s")
    return 1 if failed and asked.gate else 0


if __name__ == "__main__":
    sys.exit(main())
