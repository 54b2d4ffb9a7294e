# SPDX-License-Identifier: Apache-2.0
"""P4: if a kill or a power failure ends a run of configure, the next boot first undoes that run."""

from __future__ import annotations

import json

from booted_environment import BootedEnvironment, BootedHost
from case import case
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE
from testbed.stopper import Stopper

RECOVERY = "entralogin-recover.service"


@case("P4", "power that fails in setup --apply or --undo: the boot takes the way back before anybody can sign in", attack="H2")
def boot_settles(env: BootedEnvironment) -> str:
    seen = []
    for verb, word in (("--enable", "00-entralogin.conf"), ("--disable", "nsswitch.conf")):
        machine = env.testbed.machine(f"unfinished{verb}", base=env.enabled)
        if verb == "--enable":
            machine.must(CONFIGURE, "--disable")
        killed, _ = Stopper(machine, env.testbed.scratch / "programs").run("kill", 2, CONFIGURE, verb, word=word)
        require(not killed.ok and machine.path("/etc/entralogin/unfinished").exists(), f"not killed: {killed.text}")
        require(machine.run("grep", "-q", "pam_entralogin", "/etc/pam.d/common-account").ok, "PAM has nothing to go back from")
        machine.stop()
        with env.boot(f"unfinished{verb}", base=machine) as host:
            host.machine.wait_until_up()
            said = {unit: moments(host, unit) for unit in (RECOVERY, "systemd-user-sessions.service")}
            require(len(said[RECOVERY]) >= 2 and max(said[RECOVERY]) < min(said["systemd-user-sessions.service"]),
                    f"not before sessions: {said}")
            left = host.machine.run("sh", "-c", "ls -d /etc/entralogin/unfinished*; grep -ls entralogin /etc/pam.d/* "
                                    "/etc/nsswitch.conf /etc/sudoers.d/* /etc/ssh/sshd_config.d/*").out
            equal(left, "", f"left after {verb}")
            admitted(host.ssh(env.lisa, "true"))
            seen.append(verb)
    return f"killed {' and '.join(seen)}, then booted: nothing left"


def moments(host: BootedHost, unit: str) -> list[int]:
    """The times of systemd's messages about a unit, in microseconds since the kernel's start: a unit that has ended and is
    disabled has no properties left."""
    lines = host.machine.run("journalctl", "--no-pager", "-o", "json", "_PID=1", f"UNIT={unit}").out.splitlines()
    return [int(json.loads(line)["__MONOTONIC_TIMESTAMP"]) for line in lines]
