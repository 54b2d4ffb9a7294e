# SPDX-License-Identifier: Apache-2.0
"""Runs the states of `doctor` and `explain` on a booted machine: `run --states` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import states  # noqa: F401
from states_environment import StatesEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("states", "What doctor and explain say, on a machine that is broken in one place.", StatesEnvironment))
