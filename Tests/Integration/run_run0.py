# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of run0 on a booted machine with polkit: `run --run0` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import run0  # noqa: F401
from booted_environment import BootedEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("run0", "run0 and pkexec, where systemd asks polkit.", BootedEnvironment))
