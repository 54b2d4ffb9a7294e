# SPDX-License-Identifier: Apache-2.0
"""Plays the cases of a real client: `run --az` calls this inside the bed's namespaces."""

from __future__ import annotations

import sys

import real_client  # noqa: F401
from ground import Ground
from suite import main

if __name__ == "__main__":
    sys.exit(main("az", "azure-cli, as it is published, and stock ssh.", Ground))
