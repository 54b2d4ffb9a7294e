# SPDX-License-Identifier: Apache-2.0
"""Runs the cases under OpenSSL's FIPS provider: `run --fips` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import fips  # noqa: F401
from fips import FIPSEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("fips", "Sign-in where OpenSSL allows what its FIPS provider has, and nothing else.", FIPSEnvironment))
