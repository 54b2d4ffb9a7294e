# SPDX-License-Identifier: Apache-2.0
"""The log of the simulator's requests: JSON lines that a test reads and counts. It contains no tokens."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, TextIO


class RequestLog:
    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def add(self, **entry: Any) -> None:
        line = json.dumps(entry)
        with self._lock:
            self._entries.append(entry)
            self._file.write(line + "\n")
            self._file.flush()

    def entries(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            return [e for e in self._entries if endpoint in (None, e["endpoint"])]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def close(self) -> None:
        self._file.close()
