# SPDX-License-Identifier: Apache-2.0
"""The system extension, merged by systemd-sysext on a booted machine whose /usr is read-only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from booted_environment import DAEMON, BootedHost
from case import case
from packages import WIRED
from packages_environment import OpenSession, PackagesEnvironment
from testbed import Machine
from testbed.checks import admitted, equal, require
from testbed.installed import REPOSITORY, TOOL
from testbed.machine import run, wait_for
from testbed.packages import differences, inventory

IMAGE = "/var/lib/extensions/entralogin.raw"
UNIT = "entralogin-sysext.service"
SET_UP = (*WIRED, "/etc/systemd")
PORT = "/etc/ssh/sshd_config.d/05-port.conf"  # each boot has its own
# Makes /usr read-only, as where /usr is an image. nspawn gives no loop devices, which systemd-sysext needs for an image.
READ_ONLY = """[Unit]
DefaultDependencies=no
Before=systemd-sysext.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'mount --bind /usr /usr && mount -o remount,bind,ro /usr'
ExecStart=/bin/sh -c 'mknod /dev/loop-control c 10 237; for n in $(seq 0 63); do mknod /dev/loop$n b 7 $n; done'
[Install]
WantedBy=sysinit.target
"""


def built(folder: Path) -> Path:
    """The image as `make sysext` makes it for Debian; requires that two builds are the same."""
    images = []
    for name in ("one", "two"):
        done = run([str(REPOSITORY / "packaging/sysext/build"), str(folder / name)], timeout=300,
                   environment={**os.environ, "LIBDIR": "/usr/lib/x86_64-linux-gnu"})
        require(done.ok, done.text)
        images.append(folder / name / "entralogin.raw")
    require(images[0].read_bytes() == images[1].read_bytes(), "the image is not the same twice")
    return images[0]


def immutable(env: PackagesEnvironment) -> Machine:
    """A stopped machine without the product, whose /usr is read-only from its next boot on."""
    machine = env.testbed.machine("immutable", base=env.bare)
    machine.write("/etc/systemd/system/read-only.service", READ_ONLY)
    machine.must("systemctl", "enable", "read-only.service", "systemd-sysext.service")
    machine.stop()
    return machine


def merge(host: BootedHost, image: Path) -> None:
    machine = host.machine
    require(not machine.run("touch", "/usr/written").ok, "/usr can be written")
    machine.must("mkdir", "-p", str(Path(IMAGE).parent))
    shutil.copy(image, machine.path(IMAGE))
    machine.must("systemd-sysext", "merge")
    require(machine.run(TOOL, "--version").ok, machine.run("systemd-sysext", "status").text)


def unmerge(env: PackagesEnvironment, host: BootedHost) -> None:
    """Unmerges the extension; requires that no Entra account can sign in, and that lisa and root are not affected."""
    host.machine.must("systemd-sysext", "unmerge")
    for key in ("alice", "carol"):
        require(not host.ssh(env.person(key), "true").ok, f"{key} is in")
    admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    admitted(host.ssh(env.root, "id -u"), "0\n")


@case("P17", "a system extension on a read-only /usr: merged, set up, unmerged, merged again, booted again and taken out; nobody "
      "without a role is in meanwhile", deep=True)
def merged(env: PackagesEnvironment) -> str:
    image, base = built(env.testbed.scratch / "extension"), immutable(env)
    with env.boot_on("immutable", base) as host:
        machine = host.machine
        machine.wait_until_up()
        before = inventory(machine, *SET_UP)
        merge(host, image)
        machine.must(TOOL, "setup", "--apply")
        env.signs_in(host)
        # Unmerged while sign-in is set up: this has the same effect as a missing module.
        lisa = OpenSession(env.lisa, host.port)
        try:
            unmerge(env, host)
            machine.must("systemd-sysext", "merge")
            machine.systemctl("restart", UNIT)
            env.signs_in(host)
            # A refresh mounts /usr again, so its files have other identities: sign-in is off until the check has seen them.
            machine.must("systemd-sysext", "refresh")
            for key in ("alice", "carol"):
                require(not host.ssh(env.person(key), "true").ok, f"{key} is in after a refresh")
            former = machine.property(DAEMON, "MainPID")
            machine.systemctl("restart", "systemd-sysext.service")
            wait_for(lambda: machine.property(DAEMON, "MainPID") not in ("", "0", former), "the daemon of the new /usr")
            env.signs_in(host)
            equal(lisa.ask("id -un"), "lisa", "lisa's session over all that")
        finally:
            lisa.end()
        machine.power_off()

    # systemd reads the units of /etc before anything is merged.
    with env.boot_on("immutable-again", machine, base) as host:
        machine = host.machine
        machine.wait_until_up()
        require(machine.property(UNIT, "ActiveState") == "active", "the unit of /etc has not run")
        env.signs_in(host)
        machine.must(TOOL, "setup", "--undo")
        unmerge(env, host)
        machine.remove(IMAGE)
        left = set(differences(before, inventory(machine, *SET_UP))) - {f"~{PORT}"}
        equal(sorted(left), [], "what is left in /etc")
    return "as before"
