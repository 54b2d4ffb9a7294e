# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of packaging/monitoring: `run --monitoring` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import monitoring  # noqa: F401
import outage_seen  # noqa: F401
from environment import Environment
from suite import main

if __name__ == "__main__":
    sys.exit(main("monitoring", "What watches a machine, beside it.", Environment))
