# SPDX-License-Identifier: Apache-2.0
"""Measures what has a limit, and prints one line for each figure. `run` calls this inside the testbed's namespaces."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Integration"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "nss"))

from bench_cold import cold
from bench_counts import instructions, sizes, system_calls
from bench_daemon import certificates_a_second, memory, memory_of_many, readiness
from bench_groups import mapped_groups
from bench_names import name_service, publication
from bench_short import short_name_calls, short_name_strangers
from bench_signin import helper, warm_sign_in
from bench_sudo import warm_sudo
from environment import NUMBERED_USERS, Environment
from figures import Figure
from testbed import Testbed
from testbed.checks import Wrong, described
from testbed.stalls import TRIES, Stalls


@dataclass(frozen=True)
class Measure:
    name: str
    take: Callable[[Environment], list[Figure]]
    is_speed: bool = False  # other work on the machine changes it: the limit must hold in one of several tries
    deep: Callable[[Environment], list[Figure]] | None = None  # with --deep, this is called instead of `take`


MEASURES = (
    Measure("sign-in", warm_sign_in, is_speed=True),
    Measure("helper", helper, is_speed=True),
    Measure("sudo", warm_sudo, is_speed=True),
    Measure("cold", cold, is_speed=True),
    Measure("certificates", certificates_a_second, is_speed=True),
    Measure("system calls", system_calls),
    Measure("short names", short_name_calls),
    Measure("instructions", instructions),
    Measure("sizes", sizes),
    Measure("name service", name_service, is_speed=True),
    Measure("strangers with short names", short_name_strangers, is_speed=True),
    Measure("publication", publication, is_speed=True),
    Measure("Entra groups", mapped_groups, is_speed=True),
    Measure("readiness", readiness, is_speed=True),
    Measure("memory", memory, deep=memory_of_many),
)


def taken(env: Environment, measure: Measure, stalls: Stalls, is_deep: bool) -> list[Figure]:
    """The figures of the measure. A speed that is beyond its limit is measured again, and so is a measure that failed while
    the machine did not run (`testbed.stalls`). Figures that are measured again are printed, too."""
    for tries_left in reversed(range(TRIES)):
        began, error = time.monotonic(), None
        try:
            figures = (measure.deep if is_deep and measure.deep else measure.take)(env)
        except Exception as failure:  # noqa: BLE001  one measure must not end the others
            figures, error = [Figure(measure.name, described(failure), good=False)], failure
            env.azure.clear_faults()
        beyond = [figure for figure in figures if figure.good is False]
        if not beyond or isinstance(error, Wrong) or tries_left == 0:
            return figures
        again = stalls.excuse(began) or ("a speed" if measure.is_speed and error is None else "")
        if not again:
            return figures
        for figure in beyond:
            print(f"{'':8}(taken again, {again}: {figure.line()})", flush=True)
    raise AssertionError("there is at least one try")


def main() -> int:
    options = argparse.ArgumentParser(prog="run", description="The limits, measured.")
    options.add_argument("--gate", action="store_true", help="fail where a limit does not hold")
    options.add_argument("--speeds", action="store_true", help="what other work on the machine would change")
    options.add_argument("--counts", action="store_true", help="what it does not change: may run beside other work")
    options.add_argument("--deep", action="store_true", help="each with all that was ever asked of it")
    options.add_argument("--only", action="append", default=[], metavar="WORDS", help="measures whose name holds them")
    asked = options.parse_args()
    began, failed, count, stalls = time.monotonic(), 0, 0, Stalls()
    with Testbed(numbered=NUMBERED_USERS) as testbed:
        env = Environment(testbed)
        for measure in MEASURES:
            if asked.only and not any(word in measure.name for word in asked.only):
                continue
            if asked.counts if measure.is_speed else asked.speeds:
                continue
            started = time.monotonic()
            for figure in taken(env, measure, stalls, asked.deep):
                count += 1
                failed += figure.good is False
                print(figure.line(), flush=True)
            print(f"{'':8}({measure.name}: {time.monotonic() - started:.0f} s)", flush=True)
    print(f"\nbench: {count} figures, {failed} beyond their limit; {time.monotonic() - began:.0f} s")
    return 1 if failed and asked.gate else 0


if __name__ == "__main__":
    sys.exit(main())
