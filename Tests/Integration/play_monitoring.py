# SPDX-License-Identifier: Apache-2.0
"""Plays the cases of packaging/monitoring: `run --monitoring` calls this inside the bed's namespaces."""

from __future__ import annotations

import sys

import monitoring  # noqa: F401
import outage_seen  # noqa: F401
from ground import Ground
from suite import main

if __name__ == "__main__":
    sys.exit(main("monitoring", "What watches a machine, beside it.", Ground))
