# SPDX-License-Identifier: Apache-2.0
"""Measures how long the test machine stood still: then a deadline of 200 ms, 1 s or 10 s may pass though nothing is wrong.

A virtual machine that is not given its processors, or whose host is busy, stops for some tenths of a second, now and then
for seconds. A caller that asks the daemon at that moment is told that it did not answer in time, as it must be. A check that
fails then is repeated, up to TRIES times, and that is printed. A check that fails while the machine ran has failed, and so
has one with a failure that no deadline explains (`checks.Wrong`).
"""

from __future__ import annotations

import threading
import time

TRIES = 3
LATE_MS = 100.0  # of the 200 ms that a name lookup has; caller and daemon may both be kept from running
_STEP_S = 0.01


class Stalls:
    """Watches from when it is made, by a thread that should run a hundred times a second."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []  # when each stall was over, and how long it took
        threading.Thread(target=self._watch, daemon=True).start()

    def longest(self, since: float) -> float:
        """Milliseconds of the longest stall that ended after that time (time.monotonic)."""
        time.sleep(2 * _STEP_S)  # one that has just ended is noted
        return max((length for ended, length in list(self._seen) if ended >= since), default=0.0)

    def excuse(self, since: float) -> str:
        """Why a check that began then and failed is repeated; empty if there is no reason."""
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
