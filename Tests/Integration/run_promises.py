# SPDX-License-Identifier: Apache-2.0
"""Runs the cases: `run` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

# isort: off
# The order of these imports is the order of the cases. The search for secrets comes last, because it reads every log.
import roles  # noqa: F401
import sudo_right  # noqa: F401
import raised  # noqa: F401
import blocked  # noqa: F401
import mapped  # noqa: F401
import locked  # noqa: F401
import limits  # noqa: F401
import written  # noqa: F401
import sudo_withheld  # noqa: F401
import services  # noqa: F401
import device  # noqa: F401
import step_up  # noqa: F401
import azure_faults  # noqa: F401
import azure_tools  # noqa: F401
import groups  # noqa: F401
import metadata  # noqa: F401
import clouds  # noqa: F401
import hybrid  # noqa: F401
import checkers  # noqa: F401
import scalesets  # noqa: F401
import network  # noqa: F401
import bad_days  # noqa: F401
import first_machine  # noqa: F401
import clients  # noqa: F401
import no_effects  # noqa: F401
import credentials  # noqa: F401
import handmade  # noqa: F401
import imitators  # noqa: F401
import revocation  # noqa: F401
import pam_order  # noqa: F401
import arranged  # noqa: F401
import integration  # noqa: F401
import reach  # noqa: F401
import spelling  # noqa: F401
import narrowed  # noqa: F401
import identity  # noqa: F401
import added  # noqa: F401
import upns  # noqa: F401
import name_cache  # noqa: F401
import homes  # noqa: F401
import local_people  # noqa: F401
import names  # noqa: F401
import namespaces  # noqa: F401
import subordinate  # noqa: F401
import other_directories  # noqa: F401
import listing  # noqa: F401
import short_names  # noqa: F401
import short_refused  # noqa: F401
import short_integration  # noqa: F401
import short_way_back  # noqa: F401
import storms  # noqa: F401
import sockets  # noqa: F401
import process_environment  # noqa: F401
import abroad  # noqa: F401
import durability  # noqa: F401
import damage  # noqa: F401
import keys  # noqa: F401
import authorities  # noqa: F401
import bad_input  # noqa: F401
import crash  # noqa: F401
import told  # noqa: F401
import tool  # noqa: F401
import account_audit  # noqa: F401
import migration  # noqa: F401
import way_back  # noqa: F401
import left_behind  # noqa: F401
import everyday  # noqa: F401
import records  # noqa: F401
# isort: on
from environment import Environment
from suite import main

if __name__ == "__main__":
    sys.exit(main("integration", "The promises under attack.", Environment))
