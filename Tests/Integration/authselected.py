# SPDX-License-Identifier: Apache-2.0
"""P4 on machines where authselect(8) owns PAM's files and nsswitch.conf, as on RHEL: here a stand-in for it, on Debian."""

from __future__ import annotations

import shutil

from case import case
from packages_environment import PackagesEnvironment
from testbed.checks import equal, require
from testbed.installed import CONFIGURE, put_in_place
from testbed.machine import HERE, Machine
from testbed.packages import differences, inventory

OWN_FILE = "/etc/authselect/custom/entralogin/system-auth"
PROFILE = "/usr/share/authselect/default/sssd"
# The stages of RHEL 9's "sssd" profile, as far as their order matters to entralogin.
STACK = """auth        required      pam_env.so
auth        sufficient    pam_unix.so nullok
auth        required      pam_deny.so

account     required      pam_unix.so
account     required      pam_permit.so

password    sufficient    pam_unix.so sha512 shadow nullok use_authtok

session     optional      pam_keyinit.so revoke
session     required      pam_limits.so
-session    optional      pam_systemd.so
session     required      pam_unix.so
"""
SERVICE = ("auth substack password-auth\naccount required pam_nologin.so\naccount include password-auth\n"
           "session include password-auth\n")


def like_rhel(machine: Machine) -> None:
    """Makes PAM's services include password-auth and system-auth, which authselect writes; removes pam-auth-update."""
    machine.must("mv", "/usr/sbin/pam-auth-update", "/root/")
    shutil.copy(HERE / "authselect", machine.path("/usr/bin/authselect"))
    for name in ("system-auth", "password-auth"):
        machine.write(f"{PROFILE}/{name}", STACK)
    machine.write(f"{PROFILE}/nsswitch.conf", "passwd: sss files systemd\ngroup: sss files systemd\nhosts: files dns\n")
    machine.write("/etc/authselect/authselect.conf", "")
    for name in ("sshd", "sudo", "sudo-i", "su", "login"):
        machine.write(f"/etc/pam.d/{name}", SERVICE)
    machine.must("authselect", "select", "sssd", "with-sudo")


@case("P4", "under authselect (a stand-in): a profile of its own with the features in force, and the one before again")
def authselect(env: PackagesEnvironment) -> str:
    machine = env.testbed.machine("authselect", base=env.bare)
    like_rhel(machine)
    before = inventory(machine, "/etc/pam.d", "/etc/authselect", "/etc/nsswitch.conf")
    put_in_place(machine)
    equal(machine.read("/etc/authselect/authselect.conf"), "custom/entralogin with-sudo\n", "the profile in force")
    for name in ("system-auth", "password-auth"):
        lines = [line.split() for line in machine.read(f"/etc/authselect/{name}").splitlines() if line.strip()]
        for stage in ("account", "session"):
            first = next(line for line in lines if line[0].lstrip("-") == stage)
            equal(first[-1], "pam_entralogin.so", f"the first module of {name}, {stage}")
    require("passwd: sss files systemd entralogin" in machine.read("/etc/authselect/nsswitch.conf"), "nsswitch.conf")
    older = machine.read(OWN_FILE).replace(" user notingroup entra_admins", "")
    machine.write(OWN_FILE, older)
    machine.must(CONFIGURE, "--enable")  # again, over the profile of an older version
    require("notingroup entra_admins" in machine.read(OWN_FILE), "the older version's lines are left")
    machine.must(CONFIGURE, "--disable")
    after = inventory(machine, "/etc/pam.d", "/etc/authselect", "/etc/nsswitch.conf")
    equal([d for d in differences(before, after) if d != "+/etc/authselect/custom"], [], "what is left")
    machine.stop()
    return "custom/entralogin with-sudo, then sssd with-sudo"
