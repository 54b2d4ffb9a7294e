# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of uutils' coreutils: `run --coreutils` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import coreutils  # noqa: F401
from coreutils_environment import CoreutilsEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("coreutils", "uutils' coreutils, in Rust, in the place of GNU's.", CoreutilsEnvironment))
