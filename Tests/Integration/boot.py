# SPDX-License-Identifier: Apache-2.0
"""P8 at boot: process 1, the message bus, the login service and entralogin's own units never wait for entralogin."""

from __future__ import annotations

from bed.checks import admitted, equal, require
from bed.machine import wait_for
from booted_ground import DAEMON, SOCKETS, BootedGround, BootedSite
from case import case

# Units that users and other units wait for.
MILESTONES = ("sysinit.target", "dbus.service", "systemd-logind.service", "systemd-user-sessions.service",
              "ssh.service", "multi-user.target")
# In ms, on a busy machine; waiting for entralogin would take TimeoutStartSec=, which is 30 s, or 45 s for the user database
MARGIN = 10_000.0
UNABLE = "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/false\n"
# This daemon takes the sockets, sends no notification such as READY=1, and accepts no connection.
HANGING = "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/sleep infinity\n"


def milestones(site: BootedSite) -> dict[str, float]:
    """Milliseconds from the start of process 1 until each milestone."""
    machine = site.machine

    def are_there() -> bool:
        return all(machine.property(unit, "ActiveState") == "active" for unit in MILESTONES)

    wait_for(are_there, "the targets and services of the boot", 120)
    return {unit: machine.milliseconds(unit) for unit in MILESTONES}


def without_us(ground: BootedGround) -> dict[str, float]:
    """The milestones of a machine without the product, which boots once for this."""
    if not ground.usual_boot:
        with ground.boot("without", product=False) as site:
            ground.usual_boot = milestones(site)
    return ground.usual_boot


def waiting(site: BootedSite) -> dict[str, int]:
    """Connections that were not accepted, for each of entralogin's sockets. One whose client has gone counts until it is
    accepted, so with a daemon that accepts nothing this counts every client so far. Lists other machines' sockets, too."""
    lines = site.machine.must("ss", "--no-header", "--listening", "--unix").out.splitlines()
    return {words[4]: int(words[2]) for words in map(str.split, lines)
            if words[0] != "u_dgr" and words[4].startswith("/run/entralogin/")}


@case("P8", "boot: with the daemon unable to start, or hanging, everything is there as early as without entralogin")
def boot_times(ground: BootedGround) -> str:
    without = without_us(ground)
    seen = [f"without us {without['multi-user.target']:.0f} ms"]
    for name, drop_in in (("unable", UNABLE), ("hanging", HANGING)):
        with ground.boot(name, units={DAEMON: drop_in}) as site:
            times = milestones(site)
            for unit in MILESTONES:
                require(times[unit] < without[unit] + MARGIN,
                        f"{name}: {unit} after {times[unit]:.0f} ms, {without[unit]:.0f} ms without us")
            seen.append(f"{name} {times['multi-user.target']:.0f} ms")
            admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
            admitted(site.ssh(ground.root, "id -un"), "root\n")
    return ", ".join(seen)


@case("P8", "boot and a local sign-in make no connection to the daemon: process 1, the message bus, every unit")
def no_connection(ground: BootedGround) -> str:
    with ground.boot("counted", units={DAEMON: HANGING}) as site:
        milestones(site)
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
        counts = waiting(site)
        equal(counts, {f"/run/entralogin/{name}.sock": 0 for name in ("control", "principals", "sessions")}, "connections")
        require(not site.ssh(ground.person("alice"), "true").ok, "alice is let in by a daemon that hangs")
        after = waiting(site)
        require(after["/run/entralogin/control.sock"] > 0, "alice's sign-in does not show: the count proves nothing")
    return f"none until alice signed in, then {after}"


@case("P8", "the sockets are there before nss-user-lookup.target and sshd, and the daemon is waited for by nobody")
def order(ground: BootedGround) -> str:
    machine = ground.vm.machine
    equal(machine.run("systemctl", "is-system-running").out.strip(), "running", "the system's state")
    lookup, sshd = (machine.milliseconds(u) for u in ("nss-user-lookup.target", "ssh.service"))
    for socket in SOCKETS:
        there = machine.milliseconds(socket)
        require(0 < there <= sshd, f"{socket} after {there:.0f} ms, sshd after {sshd:.0f} ms")
    control = machine.milliseconds(SOCKETS[0])
    require(control <= lookup, f"control socket after {control:.0f} ms, nss-user-lookup.target after {lookup:.0f} ms")
    behind = machine.property(DAEMON, "Before").split()
    # shutdown.target: when the machine shuts down, the daemon stops first.
    require(set(behind) <= {"shutdown.target"}, f"ordered behind the daemon: {behind}")
    return f"control socket {control:.0f} ms, nss-user-lookup.target {lookup:.0f} ms, sshd {sshd:.0f} ms"


@case("P8", "a unit may name an Entra user, and a local one, before the daemon is there")
def users_of_units(ground: BootedGround) -> str:
    """When systemd starts a unit, it looks up the unit's user and that user's groups."""
    local = "[Service]\nType=oneshot\nUser=lisa\nExecStart=/usr/bin/id -un\n[Install]\nWantedBy=sysinit.target\n"
    with ground.boot("users", units={DAEMON: HANGING}) as site:
        machine = site.machine
        milestones(site)
        machine.write_file("/etc/systemd/system/local.service", local)
        machine.systemctl("daemon-reload")
        began = machine.run("systemctl", "start", "local.service")
        require(began.ok and began.milliseconds < MARGIN, f"{began.milliseconds:.0f} ms: {began.text}")
        equal(waiting(site)["/run/entralogin/control.sock"], 0, "connections")
        machine.write_file("/etc/systemd/system/ours.service", local.replace("lisa", "alice@contoso.com"))
        machine.systemctl("daemon-reload")
        ours = machine.run("systemctl", "start", "ours.service")
        require(not ours.ok and ours.milliseconds < MARGIN, f"{ours.milliseconds:.0f} ms: {ours.text}")
    return f"lisa's unit {began.milliseconds:.0f} ms; one of a person never seen fails after {ours.milliseconds:.0f} ms"
