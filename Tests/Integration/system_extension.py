# SPDX-License-Identifier: Apache-2.0
"""The system extension, merged by systemd-sysext on a booted machine whose /usr is read-only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bed import Machine
from bed.checks import admitted, equal, require
from bed.installed import REPOSITORY, TOOL
from bed.machine import run, wait_for
from bed.packages import differences, inventory
from booted_ground import DAEMON, BootedSite
from case import case
from packages import WIRED
from packages_ground import OpenSession, PackagesGround

IMAGE = "/var/lib/extensions/entralogin.raw"
UNIT = "entralogin-sysext.service"
SET_UP = (*WIRED, "/etc/systemd")
PORT = "/etc/ssh/sshd_config.d/05-port.conf"  # each boot has its own
# Makes /usr as on a machine whose /usr is an image. nspawn gives no loop devices, which systemd-sysext needs for an image.
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


def immutable(ground: PackagesGround) -> Machine:
    """A stopped machine without the product, whose /usr is read-only from its next boot on."""
    machine = ground.bed.machine("immutable", base=ground.bare)
    machine.write("/etc/systemd/system/read-only.service", READ_ONLY)
    machine.must("systemctl", "enable", "read-only.service", "systemd-sysext.service")
    machine.stop()
    return machine


def stays_out(ground: PackagesGround, site: BootedSite) -> None:
    """Requires that no Entra account can sign in, whatever is left of the product; lisa and root are not affected."""
    for key in ("alice", "carol"):
        require(not site.ssh(ground.person(key), "true").ok, f"{key} is in")
    admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
    admitted(site.ssh(ground.root, "id -u"), "0\n")


def extend(site: BootedSite, *words: str) -> None:
    site.machine.must("systemd-sysext", *words)


def merge(ground: PackagesGround, site: BootedSite, image: Path) -> None:
    machine = site.machine
    require(not machine.run("touch", "/usr/written").ok, "/usr can be written")
    machine.must("mkdir", "-p", str(Path(IMAGE).parent))
    shutil.copy(image, machine.path(IMAGE))
    machine.must("systemd-sysext", "merge")
    require(machine.run(TOOL, "--version").ok, machine.run("systemd-sysext", "status").text)


def unmerge(ground: PackagesGround, site: BootedSite) -> None:
    """Unmerges the extension; requires that no Entra account can sign in, and that lisa and root are not affected."""
    site.machine.must("systemd-sysext", "unmerge")
    for key in ("alice", "carol"):
        require(not site.ssh(ground.person(key), "true").ok, f"{key} is in")
    admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
    admitted(site.ssh(ground.root, "id -u"), "0\n")


@case("P17", "a system extension on a read-only /usr: merged, set up, unmerged, merged again, booted again and taken out; nobody "
      "without a role is in meanwhile", deep=True)
def merged(ground: PackagesGround) -> str:
    image, base = built(ground.bed.scratch / "extension"), immutable(ground)
    with ground.boot_on("immutable", base) as site:
        machine = site.machine
        machine.wait_until_up()
        before = inventory(machine, *SET_UP)
        merge(ground, site, image)
        machine.must(TOOL, "setup", "--apply")
        ground.signs_in(site)
        # Unmerged while sign-in is set up: this has the same effect as a missing module.
        lisa = OpenSession(ground.lisa, site.port)
        try:
            unmerge(ground, site)
            machine.must("systemd-sysext", "merge")
            machine.systemctl("restart", UNIT)
            ground.signs_in(site)
            # A refresh mounts /usr again, so its files have other identities: sign-in is off until the check has seen them.
            machine.must("systemd-sysext", "refresh")
            for key in ("alice", "carol"):
                require(not site.ssh(ground.person(key), "true").ok, f"{key} is in after a refresh")
            former = machine.property(DAEMON, "MainPID")
            machine.systemctl("restart", "systemd-sysext.service")
            wait_for(lambda: machine.property(DAEMON, "MainPID") not in ("", "0", former), "the daemon of the new /usr")
            ground.signs_in(site)
            equal(lisa.ask("id -un"), "lisa", "lisa's session over all that")
        finally:
            lisa.end()
        machine.power_off()

    # systemd reads the units of /etc before anything is merged.
    with ground.boot_on("immutable-again", machine, base) as site:
        machine = site.machine
        machine.wait_until_up()
        require(machine.property(UNIT, "ActiveState") == "active", "the unit of /etc has not run")
        ground.signs_in(site)
        machine.must(TOOL, "setup", "--undo")
        unmerge(ground, site)
        machine.remove(IMAGE)
        left = set(differences(before, inventory(machine, *SET_UP))) - {f"~{PORT}"}
        equal(sorted(left), [], "what is left in /etc")
    return "as before"
