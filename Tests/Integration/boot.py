# SPDX-License-Identifier: Apache-2.0
"""P8 at boot: process 1, the message bus, the login service and entralogin's own units never wait for entralogin."""

from __future__ import annotations

from booted_environment import DAEMON, SOCKETS, BootedEnvironment, BootedHost
from case import case
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

# Units that users and other units wait for.
MILESTONES = ("sysinit.target", "dbus.service", "systemd-logind.service", "systemd-user-sessions.service",
              "ssh.service", "multi-user.target")
# In ms, on a busy machine; waiting for entralogin would take TimeoutStartSec=, which is 30 s, or 45 s for the user database
MARGIN = 10_000.0
UNABLE = "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/false\n"
# This daemon takes the sockets, sends no notification such as READY=1, and accepts no connection.
HANGING = "[Service]\nExecStartPre=\nExecStart=\nExecStart=/bin/sleep infinity\n"


def milestones(host: BootedHost) -> dict[str, float]:
    """Milliseconds from the start of process 1 until each milestone."""
    machine = host.machine

    def are_there() -> bool:
        return all(machine.property(unit, "ActiveState") == "active" for unit in MILESTONES)

    wait_for(are_there, "the targets and services of the boot", 120)
    return {unit: machine.milliseconds(unit) for unit in MILESTONES}


def without_us(env: BootedEnvironment) -> dict[str, float]:
    """The milestones of a machine without the product, which boots once for this."""
    if not env.usual_boot:
        with env.boot("without", product=False) as host:
            env.usual_boot = milestones(host)
    return env.usual_boot


def waiting(host: BootedHost) -> dict[str, int]:
    """Connections that were not accepted, for each of entralogin's sockets. One whose client has gone counts until it is
    accepted, so with a daemon that accepts nothing this counts every client so far. Lists other machines' sockets, too."""
    lines = host.machine.must("ss", "--no-header", "--listening", "--unix").out.splitlines()
    return {words[4]: int(words[2]) for words in map(str.split, lines)
            if words[0] != "u_dgr" and words[4].startswith("/run/entralogin/")}


@case("P8", "boot: with the daemon unable to start, or hanging, everything is there as early as without entralogin")
def boot_times(env: BootedEnvironment) -> str:
    without = without_us(env)
    seen = [f"without us {without['multi-user.target']:.0f} ms"]
    for name, drop_in in (("unable", UNABLE), ("hanging", HANGING)):
        with env.boot(name, units={DAEMON: drop_in}) as host:
            times = milestones(host)
            for unit in MILESTONES:
                require(times[unit] < without[unit] + MARGIN,
                        f"{name}: {unit} after {times[unit]:.0f} ms, {without[unit]:.0f} ms without us")
            seen.append(f"{name} {times['multi-user.target']:.0f} ms")
            admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
            admitted(host.ssh(env.root, "id -un"), "root\n")
    return ", ".join(seen)


@case("P8", "boot and a local sign-in make no connection to the daemon: process 1, the message bus, every unit")
def no_connection(env: BootedEnvironment) -> str:
    with env.boot("counted", units={DAEMON: HANGING}) as host:
        milestones(host)
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        counts = waiting(host)
        equal(counts, {f"/run/entralogin/{name}.sock": 0 for name in ("control", "principals", "sessions")}, "connections")
        require(not host.ssh(env.person("alice"), "true").ok, "alice is let in by a daemon that hangs")
        after = waiting(host)
        require(after["/run/entralogin/control.sock"] > 0, "alice's sign-in does not show: the count proves nothing")
    return f"none until alice signed in, then {after}"


@case("P8", "the sockets are there before nss-user-lookup.target and sshd, and the daemon is waited for by nobody")
def order(env: BootedEnvironment) -> str:
    machine = env.vm.machine
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
def users_of_units(env: BootedEnvironment) -> str:
    """When systemd starts a unit, it looks up the unit's user and that user's groups."""
    local = "[Service]\nType=oneshot\nUser=lisa\nExecStart=/usr/bin/id -un\n[Install]\nWantedBy=sysinit.target\n"
    with env.boot("users", units={DAEMON: HANGING}) as host:
        machine = host.machine
        milestones(host)
        machine.write_file("/etc/systemd/system/local.service", local)
        machine.systemctl("daemon-reload")
        began = machine.run("systemctl", "start", "local.service")
        require(began.ok and began.milliseconds < MARGIN, f"{began.milliseconds:.0f} ms: {began.text}")
        equal(waiting(host)["/run/entralogin/control.sock"], 0, "connections")
        machine.write_file("/etc/systemd/system/ours.service", local.replace("lisa", "alice@contoso.com"))
        machine.systemctl("daemon-reload")
        entra = machine.run("systemctl", "start", "ours.service")
        require(not entra.ok and entra.milliseconds < MARGIN, f"{entra.milliseconds:.0f} ms: {entra.text}")
    return f"lisa's unit {began.milliseconds:.0f} ms; one of a person never seen fails after {entra.milliseconds:.0f} ms"
