# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of rootless containers: `run --containers` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import containers  # noqa: F401
from environment import Environment
from suite import main

if __name__ == "__main__":
    sys.exit(main("containers", "Rootless containers of Entra accounts.", Environment))
