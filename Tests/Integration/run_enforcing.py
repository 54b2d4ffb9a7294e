# SPDX-License-Identifier: Apache-2.0
"""Runs the cases under SELinux and AppArmor: `run --selinux` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

# isort: off
# The order of these imports is the order of the cases; enforcing_upkeep counts the denials of all SELinux cases before it.
import enforced_policy  # noqa: F401
import enforcing  # noqa: F401
import enforcing_upkeep  # noqa: F401
import apparmor_profile  # noqa: F401
# isort: on
from enforcing_environment import EnforcingEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("selinux", "The promises under SELinux, enforcing, and AppArmor.", EnforcingEnvironment))
