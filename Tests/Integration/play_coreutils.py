# SPDX-License-Identifier: Apache-2.0
"""Plays the cases of uutils' coreutils: `run --coreutils` calls this inside the bed's namespaces."""

from __future__ import annotations

import sys

import coreutils  # noqa: F401
from coreutils_ground import CoreutilsGround
from suite import main

if __name__ == "__main__":
    sys.exit(main("coreutils", "uutils' coreutils, in Rust, in the place of GNU's.", CoreutilsGround))
