# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of sudo-rs: `run --sudo-rs` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import sudo_rs  # noqa: F401
from sudo_rs_environment import SudoRsEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("sudo-rs", "sudo-rs in the place of sudo.", SudoRsEnvironment))
