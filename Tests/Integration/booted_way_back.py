# SPDX-License-Identifier: Apache-2.0
"""P4: after a run of configure that a kill or a loss of power ended, the boot first undoes it."""

from __future__ import annotations

import json

from bed.checks import admitted, equal, require
from bed.installed import CONFIGURE
from bed.stopper import Stopper
from booted_ground import BootedGround, BootedSite
from case import case

RECOVERY = "entralogin-recover.service"


@case("P4", "power that fails in setup --apply or --undo: the boot takes the way back before anybody can sign in", attack="H2")
def boot_settles(ground: BootedGround) -> str:
    seen = []
    for verb, word in (("--enable", "00-entralogin.conf"), ("--disable", "nsswitch.conf")):
        machine = ground.bed.machine(f"unfinished{verb}", base=ground.enabled)
        if verb == "--enable":
            machine.must(CONFIGURE, "--disable")
        killed, _ = Stopper(machine, ground.bed.scratch / "programs").run("kill", 2, CONFIGURE, verb, word=word)
        require(not killed.ok and machine.path("/etc/entralogin/unfinished").exists(), f"not killed: {killed.text}")
        require(machine.run("grep", "-q", "pam_entralogin", "/etc/pam.d/common-account").ok, "PAM has nothing to go back from")
        machine.stop()
        with ground.boot(f"unfinished{verb}", base=machine) as site:
            site.machine.wait_until_up()
            said = {unit: moments(site, unit) for unit in (RECOVERY, "systemd-user-sessions.service")}
            require(len(said[RECOVERY]) >= 2 and max(said[RECOVERY]) < min(said["systemd-user-sessions.service"]),
                    f"not before sessions: {said}")
            left = site.machine.run("sh", "-c", "ls -d /etc/entralogin/unfinished*; grep -ls entralogin /etc/pam.d/* "
                                    "/etc/nsswitch.conf /etc/sudoers.d/* /etc/ssh/sshd_config.d/*").out
            equal(left, "", f"left after {verb}")
            admitted(site.ssh(ground.lisa, "true"))
            seen.append(verb)
    return f"killed {' and '.join(seen)}, then booted: nothing left"


def moments(site: BootedSite, unit: str) -> list[int]:
    """The times of systemd's messages about a unit, in microseconds since the kernel's start: a unit that has ended and is
    disabled has no properties left."""
    lines = site.machine.run("journalctl", "--no-pager", "-o", "json", "_PID=1", f"UNIT={unit}").out.splitlines()
    return [int(json.loads(line)["__MONOTONIC_TIMESTAMP"]) for line in lines]
