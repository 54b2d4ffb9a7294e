# SPDX-License-Identifier: Apache-2.0
"""The address from which one daemon asks Azure (source.c)."""

from __future__ import annotations

from pathlib import Path

from .compiled import compiled
from .machine import HERE, Machine

_LIBRARY = "/usr/lib/test-source.so"


class Source:
    """Make it before the service starts; `environment` is what the service needs to use it. `number`: below 65,536, a different
    one for each machine."""

    def __init__(self, machine: Machine, scratch: Path, number: int) -> None:
        machine.path(_LIBRARY).write_bytes(compiled(HERE / "source.c", scratch, "-shared", "-fPIC").read_bytes())
        self.address = f"127.30.{number // 256}.{number % 256}"
        self.environment = {"LD_PRELOAD": _LIBRARY, "TEST_SOURCE": self.address}
