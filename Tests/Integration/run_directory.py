# SPDX-License-Identifier: Apache-2.0
"""Runs the cases beside an LDAP directory: `run --directory` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import directory  # noqa: F401
from environment import Environment
from suite import main

if __name__ == "__main__":
    sys.exit(main("directory", "Beside an LDAP directory, by nslcd and SSSD.", Environment))
