# SPDX-License-Identifier: Apache-2.0
"""Measures for how long the host was suspended: a deadline of 200 ms, 1 s or 10 s may then pass although nothing is wrong.

A virtual machine that is not given its processors, or whose hypervisor is busy, does not run for some tenths of a second,
sometimes for seconds. A caller that asks the daemon at that moment correctly finds that it did not answer in time. The test
repeats a check that fails at such a moment, runs it TRIES times at most, and prints that. It does not repeat a check that
fails while the host ran, or a failure that no deadline explains (`checks.Wrong`).
"""

from __future__ import annotations

import threading
import time

TRIES = 3
LATE_MS = 100.0  # of the 200 ms that a name lookup has; a stall may delay the caller and the daemon
_STEP_S = 0.01


class Stalls:
    """Watches from the moment it is made, with a thread that should run a hundred times a second."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []  # when each stall ended, and its milliseconds
        threading.Thread(target=self._watch, daemon=True).start()

    def longest(self, since: float) -> float:
        """Milliseconds of the longest stall that ended after that time (time.monotonic)."""
        time.sleep(2 * _STEP_S)  # until a stall that has just ended is recorded
        return max((length for ended, length in list(self._seen) if ended >= since), default=0.0)

    def excuse(self, since: float) -> str:
        """The reason to repeat a failed check that began at that time; empty if there is none."""
        longest = self.longest(since)
        return f"the machine stood still for {longest:.0f} ms meanwhile" if longest >= LATE_MS else ""

    def _watch(self) -> None:
        last = time.monotonic()
        while True:
            time.sleep(_STEP_S)
            now = time.monotonic()
            length = (now - last - _STEP_S) * 1000
            if length >= LATE_MS:
                self._seen.append((now, length))
            last = now
