# SPDX-License-Identifier: Apache-2.0
"""The metadata service's limits for one machine (azure.md, "Instance metadata"): 5 requests a second; for the identity paths
20 requests a second, and 5 at the same time. The fault "metadata-limits" turns them on. They are off by default, because one
simulator serves many machines."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PER_SECOND, IDENTITY_PER_SECOND, IDENTITY_AT_ONCE = 5, 20, 5


class MetadataLimits:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._admitted: dict[bool, deque[float]] = {False: deque(), True: deque()}
        self._open = 0

    @contextmanager
    def entered(self, is_identity: bool) -> Iterator[bool]:
        """Whether the request is within the limits; it counts as open inside the block."""
        with self._lock:
            now = self._clock()
            recent = self._admitted[is_identity]
            while recent and recent[0] <= now - 1:
                recent.popleft()
            within = len(recent) < (IDENTITY_PER_SECOND if is_identity else PER_SECOND)
            within = within and (not is_identity or self._open < IDENTITY_AT_ONCE)
            if within:
                recent.append(now)
            self._open += is_identity
        try:
            yield within
        finally:
            with self._lock:
                self._open -= is_identity
