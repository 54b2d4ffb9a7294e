# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of a real client: `run --az` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import real_client  # noqa: F401
from environment import Environment
from suite import main

if __name__ == "__main__":
    sys.exit(main("az", "azure-cli, as it is published, and stock ssh.", Environment))
