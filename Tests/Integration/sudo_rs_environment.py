# SPDX-License-Identifier: Apache-2.0
"""Machines on which sudo-rs is what `sudo` calls, as on Ubuntu 25.10."""

from __future__ import annotations

from environment import Environment
from testbed import Machine
from testbed.installed import put_in_place

# Replaces sudo by sudo-rs as a distribution does: by diversions, so that `sudo`'s own files do not come back.
REPLACE = """set -e
for name in sudo visudo; do
  path=$(command -v $name); dpkg-divert --quiet --local --rename --divert $path.ws --add $path
  ln -s /usr/lib/cargo/bin/$name $path
done"""


def replace_sudo(machine: Machine) -> str:
    """Replaces sudo by sudo-rs; returns the version that it prints."""
    machine.must("sh", "-c", REPLACE)
    return machine.must("sudo", "--version").text.strip()


class SudoRsEnvironment(Environment):
    """Every machine has sudo-rs before entralogin is installed, except a `layered` one, which keeps sudo."""

    def _installed(self, layered: bool = False) -> Machine:
        machine = self.testbed.machine("sudo-first" if layered else "installed", layered=True)
        self.administer(machine)
        if not layered:
            replace_sudo(machine)
        put_in_place(machine)
        machine.stop()
        return machine
