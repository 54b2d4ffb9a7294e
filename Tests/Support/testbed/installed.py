# SPDX-License-Identifier: Apache-2.0
"""A machine with the build installed, enabled and running, as README describes it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .machine import Machine, wait_for
from .service import Service

REPOSITORY = Path(__file__).resolve().parents[3]
CONFIGURE = "/usr/libexec/entralogin/configure"
TOOL = "/usr/bin/entraloginctl"


@dataclass
class Installed:
    machine: Machine
    service: Service

    def stamp(self) -> bool:
        """Runs the integration check and records its result, as the path units do when the integration may have changed."""
        return self.machine.run(TOOL, "stack", "--stamp").ok

    def wait_until_ready(self) -> None:
        """Waits until the daemon knows what the machine is, and sshd has Entra's keys. READY=1 comes before both."""
        def is_ready() -> bool:
            status = self.machine.run(TOOL, "status", "--json")
            report = json.loads(status.out) if status.out else {}
            late = any(warning["id"] == "keys-not-published" for warning in report.get("warnings", []))
            return bool(report.get("isReady")) and not late
        wait_for(is_ready, "the daemon to know the machine and the keys")


def put_in_place(machine: Machine) -> None:
    """`make install` and `configure --enable`; the service does not run yet, so the integration check may fail."""
    done = subprocess.run(["make", "--no-print-directory", "-C", str(REPOSITORY), "install",
                           f"DESTDIR={machine.root}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"make install: {done.stdout}{done.stderr}")
    machine.must(CONFIGURE, "--enable")
