# SPDX-License-Identifier: Apache-2.0
"""Jobs that cron and at run for users."""

from __future__ import annotations

from collections.abc import Sequence

from .machine import Machine, wait_for


def cron_runs(machine: Machine, names: Sequence[str] = ("root", "lisa")) -> None:
    """Starts a new cron, and requires that it runs a job of each user."""
    for name in names:
        machine.remove(f"/tmp/cron-{name}")
        machine.must("crontab", "-u", name, "-", input=f"@reboot id -un >/tmp/cron-{name}\n")
    machine.start_cron()
    try:
        for name in names:
            wait_until_ran(machine, name, f"/tmp/cron-{name}")
    finally:
        machine.stop_cron()


def wait_until_ran(machine: Machine, name: str, output: str) -> None:
    """Waits for the job's output, that of `id -un`."""
    result = machine.path(output)
    wait_for(lambda: result.exists() and result.read_text() == f"{name}\n", f"the job of {name}", 60)
