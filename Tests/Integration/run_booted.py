# SPDX-License-Identifier: Apache-2.0
"""Runs the cases on booted machines: `run --booted` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

# isort: off
# The order of these imports is the order of the cases; those of the boot come first, before others use the shared machine.
import boot  # noqa: F401
import booted  # noqa: F401
import booted_migration  # noqa: F401
import booted_way_back  # noqa: F401
import booted_azure  # noqa: F401
import booted_tool  # noqa: F401
import booted_records  # noqa: F401
import booted_idle  # noqa: F401
import audit  # noqa: F401
import caches  # noqa: F401
import sessions  # noqa: F401
import reboot  # noqa: F401
import stopped  # noqa: F401
import lingering  # noqa: F401
# isort: on
from booted_environment import BootedEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("booted", "The promises on a booted systemd.", BootedEnvironment))
