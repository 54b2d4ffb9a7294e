# SPDX-License-Identifier: Apache-2.0
"""Runs the cases under the real authselect: `run --authselect` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import authselect_real  # noqa: F401
from authselect_environment import AuthselectEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("authselect", "PAM's files and nsswitch.conf made by authselect.", AuthselectEnvironment))
