# SPDX-License-Identifier: Apache-2.0
"""The fixture of the cases under SELinux and AppArmor: one virtual machine with the installed packages, in enforcing mode."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from people import People
from testbed import Outcome, Person, Testbed
from testbed.checks import require
from testbed.installed import TOOL
from testbed.machine import wait_for
from testbed.packages import build
from testbed.virtual import VirtualMachine, make_image, prepare

DAEMON = "entralogind.service"
# Denials of Debian's own programs by Debian's policy on this machine, by domain and target. Every other denial counts as
# entralogin's: a caller's denial need not name entralogin, for example that of a capability.
_DEBIANS_OWN = {
    ("getty_t", "getty_t"), ("udev_t", "udev_t"), ("udev_t", "sysctl_fs_t"), ("oddjob_mkhomedir_t", "proc_t"),
    # Users with confined roles, and pam_keyinit.
    ("staff_sudo_t", "init_t"), ("systemd_logind_t", "sysadm_su_t"), ("sysadm_su_t", "systemd_logind_t"),
    ("staff_systemd_t", "user_runtime_t"), ("user_systemd_t", "user_runtime_t"),
    ("user_systemd_t", "user_home_dir_t"), ("local_login_t", "sshd_t"), ("sysadm_su_t", "sshd_t"),
    # Before sudo asks for a password, it looks up when its parent process began.
    ("user_sudo_t", "sshd_t"),
    ("systemd_tmpfiles_t", "etc_t"), ("systemd_tmpfiles_t", "user_home_dir_t"), ("systemd_tmpfiles_t", "ssh_home_t"),
    ("systemd_user_runtime_dir_t", "nscd_runtime_t"), ("systemd_user_runtime_dir_t", "systemd_userdbd_runtime_t"),
    ("systemd_userdbd_t", "systemd_userdbd_t"),
}


@dataclass(frozen=True)
class Denial:
    source: str
    target: str
    object_class: str
    permissions: str
    line: str

    @property
    def is_entralogins(self) -> bool:
        return "entralogin" in self.line or (self.source, self.target) not in _DEBIANS_OWN

    def __str__(self) -> str:
        return f"{self.source} {self.target}:{self.object_class} {{ {self.permissions} }}"


class EnforcingEnvironment(People):
    def __init__(self, testbed: Testbed) -> None:
        super().__init__(testbed)
        self.image = testbed.scratch / "image"
        self.policy = Path()
        self._make_image()
        self._machines: list[VirtualMachine] = []
        self.machine = self.boot("selinux", 22)

    def _make_image(self) -> None:
        """Debian with its policy and entralogin's two packages, installed as into an image: nothing runs."""
        machine = self.testbed.machine("bare")
        self.administer(machine)
        prepare(machine)
        # Installed for the cases that start them.
        machine.must("systemctl", "disable", "nscd.service", "systemd-userdbd.socket")
        debs = build(self.testbed.scratch / "packages")
        for deb in debs:
            machine.path(f"/root/{deb.name}").write_bytes(deb.read_bytes())
        machine.must("dpkg", "-i", *(f"/root/{deb.name}" for deb in debs), timeout=120)
        machine.shell("rm /root/entralogin_*.deb")
        machine.stop()
        self.installed = machine
        self.policy = next((machine.folder / "changes/etc/selinux/default/policy").glob("policy.*"))
        make_image(machine, self.image)

    def boot(self, lsm: str, port: int) -> VirtualMachine:
        machine = VirtualMachine(self.testbed.scratch / f"virtual-{lsm}", self.image, self.root, lsm, port)
        self._machines.append(machine)
        self.testbed.keep(machine)
        wait_for(lambda: self.is_ready(machine), "the daemon to know the machine and the keys", 120)
        return machine

    def is_ready(self, machine: VirtualMachine) -> bool:
        return machine.shell(
            f"systemctl show --value -p StatusText {DAEMON} | grep -q ^Serving && "
            "test -s /var/lib/entralogin-sshd/trusted_user_ca_keys -a -e /run/entralogin/stack-verified").ok

    def ssh(self, person: Person, *command: str, **options: Any) -> Outcome:
        return person.ssh(*command, port=self.machine.port, timeout=120, **options)

    def tool(self, *arguments: str) -> Outcome:
        return self.machine.run(TOOL, *arguments, timeout=120)

    def restart(self, machine: VirtualMachine) -> None:
        machine.must("systemctl", "restart", DAEMON, timeout=120)
        wait_for(lambda: self.is_ready(machine), "the daemon, anew", 120)

    # SELinux

    def denials(self) -> list[Denial]:
        """Everything that the kernel, and programs that use its policy, have refused since the boot."""
        found = self.machine.run("ausearch", "--input-logs", "--raw", "-m", "AVC,USER_AVC,SELINUX_ERR", "-ts", "boot")
        require(found.status in (0, 1), f"ausearch: {found.text}")  # 1: there is none
        return [_denial(line) for line in found.out.splitlines() if re.search(r"avc:  denied|seresult=denied", line)]

    # Between cases

    def settle(self) -> None:
        self.azure.clear_faults()

    def recover(self) -> None:
        self.azure.clear_faults()

    def keep_logs(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for machine in self._machines:
            (folder / f"{machine.folder.name}-console.txt").write_text(machine.console())
        for name, command in (("journal", ("journalctl", "--no-pager")),
                              ("denials", ("ausearch", "--input-logs", "-m", "AVC,USER_AVC,SELINUX_ERR"))):
            (folder / f"{name}.txt").write_text(self.machine.run(*command, timeout=120).out)


def _denial(line: str) -> Denial:
    def field(pattern: str) -> str:
        found = re.search(pattern, line)
        return found[1] if found else "?"

    def type_of(context: str) -> str:
        return (context.split(":") + ["?"] * 3)[2]

    # A SELINUX_ERR record names the same fields differently.
    return Denial(type_of(field(r"(?:scontext|oldcontext)=(\S+)")), type_of(field(r"(?:tcontext|newcontext)=(\S+)")),
                  field(r"tclass=(\w+)"), field(r"denied +\{ ([^}]*) \}" if "avc:" in line else r"op=(\w+)"), line)
