# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of doas, su, sudoedit and pkexec: `run --elevation` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import elevation  # noqa: F401
from environment import Environment
from suite import main

if __name__ == "__main__":
    sys.exit(main("elevation", "Other programs than sudo that give another's rights.", Environment))
