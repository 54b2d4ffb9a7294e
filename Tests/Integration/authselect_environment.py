# SPDX-License-Identifier: Apache-2.0
"""Machines whose PAM files and nsswitch.conf the real authselect(8) makes, as on RHEL and its relatives, but on Debian."""

from __future__ import annotations

import sys
from pathlib import Path

from environment import Environment
from testbed import Machine
from testbed.installed import put_in_place

sys.path.append(str(Path(__file__).resolve().parents[1] / "Demo"))

from fixture import Fixture

# RHEL's PAM service files, as far as their order matters to entralogin.
SERVICES = {"password-auth": ("sshd",), "system-auth": ("sudo", "sudo-i", "su", "login")}
# The files that all other services of Debian include: cron, at, systemd's user managers.
COMMON = {"auth": "auth", "account": "account", "session": "session", "session-noninteractive": "session"}


def select(machine: Machine, profile: str) -> None:
    """Selects `profile` with its features, and removes pam-auth-update, which would write the same files."""
    machine.must("mv", "/usr/sbin/pam-auth-update", "/root/")
    for included, names in SERVICES.items():
        for name in names:
            machine.write(f"/etc/pam.d/{name}", f"auth substack {included}\naccount required pam_nologin.so\n"
                                                f"account include {included}\nsession include {included}\n")
    for name, stage in COMMON.items():
        machine.write(f"/etc/pam.d/common-{name}", f"{stage} include system-auth\n")
    machine.must("mkdir", "-p", "/etc/authselect")
    machine.must("authselect", "select", *profile.split(), "--force")
    machine.must("authselect", "check")


def in_force(machine: Machine) -> str:
    """The selected profile and its features; requires that authselect finds no edited file."""
    machine.must("authselect", "check")
    return machine.must("authselect", "current", "--raw").out.strip()


class AuthselectEnvironment(Environment):
    """Every machine has the profile "local", which needs only PAM's own modules, before entralogin is installed."""

    def _installed(self, layered: bool = False) -> Machine:
        machine = self.testbed.machine("installed", layered=True)
        self.administer(machine)
        select(machine, "local")
        put_in_place(machine)
        machine.stop()
        return machine


class AuthselectFixture(Fixture):
    """The demonstration's fixture on such machines."""

    def _stock(self, name: str) -> Machine:
        return self.testbed.machine(name, layered=True)

    def _machine(self, name: str, sshd: str = "") -> Machine:
        machine = super()._machine(name, sshd)
        select(machine, "local")
        return machine
