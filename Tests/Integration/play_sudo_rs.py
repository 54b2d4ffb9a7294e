# SPDX-License-Identifier: Apache-2.0
"""Plays the cases of sudo-rs: `run --sudo-rs` calls this inside the bed's namespaces."""

from __future__ import annotations

import sys

import sudo_rs  # noqa: F401
from sudo_rs_ground import SudoRsGround
from suite import main

if __name__ == "__main__":
    sys.exit(main("sudo-rs", "sudo-rs in the place of sudo.", SudoRsGround))
