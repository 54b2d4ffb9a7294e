# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of the installed package: `run --packages` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import authselected  # noqa: F401
import extension  # noqa: F401
import packages  # noqa: F401
import packages_reach  # noqa: F401
import packages_table  # noqa: F401
import releases  # noqa: F401
import rpm_reach  # noqa: F401
import system_extension  # noqa: F401
from packages_environment import PackagesEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("packages", "The Debian package on booted machines.", PackagesEnvironment))
