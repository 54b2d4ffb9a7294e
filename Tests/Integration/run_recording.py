# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of session recording: `run --recording` calls this inside the testbed's namespaces."""

from __future__ import annotations

import sys

import recording  # noqa: F401
import recording_told  # noqa: F401
from recording import RecordingEnvironment
from suite import main

if __name__ == "__main__":
    sys.exit(main("recording", "Session recording beside entralogin.", RecordingEnvironment))
