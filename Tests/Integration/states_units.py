# SPDX-License-Identifier: Apache-2.0
"""States of units, disks and clocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from booted_environment import DAEMON, BootedHost
from state import State
from states_survey import PutFile

LOOP = "[Service]\nExecStart=\nExecStart=/bin/false\n"


def _shell(script: str, host: BootedHost) -> None:
    host.machine.shell(script)


def units(found: list[PutFile]) -> Iterator[State]:
    names = [Path(one.path).name for one in found if one.path.startswith("/usr/lib/systemd/system/")]
    for unit in (name for name in names if name.endswith((".service", ".socket", ".path", ".timer"))):
        # The other services run for a moment and end by themselves.
        lasts = unit.endswith((".socket", ".path")) or unit in (DAEMON, "entralogin-audit.service")
        yield _unit(f"{unit} is stopped", f"systemctl stop {unit}", "true", not lasts)
        yield _unit(f"{unit} is masked and stopped", f"systemctl mask --now {unit}", f"systemctl unmask {unit}", not lasts)
        enabled = f"systemctl is-enabled -q {unit} && touch /run/was-enabled; systemctl disable {unit}"
        yield _unit(f"{unit} is disabled", enabled,
                    f"[ ! -e /run/was-enabled ] || systemctl enable {unit}; rm -f /run/was-enabled", not lasts)
    yield _unit("both sockets and the daemon are stopped",
                f"systemctl stop {DAEMON} entralogind-control.socket entralogind-principals.socket", "true")
    # Otherwise the watchdog would restart the daemon while the state is examined.
    yield _unit("the daemon is frozen", f"systemctl service-watchdogs no; systemctl kill --signal=STOP {DAEMON}",
                f"systemctl kill --signal=CONT {DAEMON}; systemctl service-watchdogs yes")
    yield State("unit", "the daemon dies at each start",
                lambda host: host.machine.override(DAEMON, LOOP), (f"/etc/systemd/system/{DAEMON}.d",),
                f"systemctl restart --no-block {DAEMON}")
    for limit in ("MemoryMax=1M", "TasksMax=1", "LimitNOFILE=8", "User=nobody", "ProtectSystem=no", "IPAddressDeny=any",
                  "ReadOnlyPaths=/var/lib/entralogin", "RestrictAddressFamilies=AF_UNIX", "InaccessiblePaths=/etc/ssl",
                  "PrivateNetwork=yes"):
        yield State("unit", f"the daemon with {limit}",
                    lambda host, limit=limit: host.machine.override(DAEMON, f"[Service]\n{limit}\n"),  # type: ignore[misc]
                    (f"/etc/systemd/system/{DAEMON}.d",), f"systemctl restart --no-block {DAEMON}", rebuild=True)
    yield _unit("nscd runs", "systemctl start nscd", "systemctl stop nscd")
    yield _unit("systemd-userdbd runs", "systemctl start systemd-userdbd.socket", "systemctl stop systemd-userdbd.socket")
    yield _unit("systemd-logind is stopped", "systemctl mask --now systemd-logind", "systemctl unmask systemd-logind; "
                "systemctl start systemd-logind")
    yield _unit("the message bus is stopped", "systemctl stop dbus.socket dbus.service", "systemctl start dbus.socket dbus")
    yield _unit("the journal is stopped", "systemctl stop systemd-journald.socket systemd-journald-dev-log.socket "
                "systemd-journald.service", "systemctl start systemd-journald.socket systemd-journald")


def _unit(name: str, act: str, undo: str, deep: bool = False) -> State:
    return State("unit", name, partial(_shell, act), undo=undo, deep=deep)


# Mounts a tmpfs over a folder, with a copy of the folder's content.
_OVER = ("mkdir -p /tmp/kept && cp -a {folder}/. /tmp/kept/ && mount -t tmpfs -o {options},mode=755 small {folder} && "
         "cp -a /tmp/kept/. {folder}/ && chown --reference=/tmp/kept {folder}; rm -rf /tmp/kept; ")
DISKS = {
    "full": ("size=256k", "dd if=/dev/zero of={folder}/full bs=1k status=none; :"),
    "without inodes": ("nr_inodes=120", "i=0; while : >{folder}/full$i; do i=$((i+1)); done 2>/dev/null; :"),
    "read-only": ("size=8m", "mount -o remount,ro {folder}"),
    "noexec": ("size=8m", "mount -o remount,noexec,nosuid {folder}"),
}


def disks() -> Iterator[State]:
    for folder in ("/home", "/var/lib/entralogin", "/run/entralogin", "/var/log", "/etc/entralogin", "/tmp"):
        owner = "chown entralogin: /var/lib/entralogin; " if folder == "/var/lib/entralogin" else ""
        for how, (options, fill) in DISKS.items():
            over = _OVER if folder != "/tmp" else "mount -t tmpfs -o {options},mode=1777 small /tmp; "
            script = (over + owner + fill).format(folder=folder, options=options)
            for again in ("", f"systemctl restart --no-block {DAEMON}"):
                yield State("disk", f"{folder} is {how}{', before a start' if again else ''}", partial(_shell, script),
                            after=again, rebuild=True, deep=bool(again) or how == "noexec")
    yield State("disk", "/home is not mounted: empty, and nobody may write",
                partial(_shell, "mount -t tmpfs -o ro,mode=555 a /home"),
                rebuild=True, local=False)


def clocks() -> Iterator[State]:
    """The machine's clock is the testbed's, so Azure's clock is set instead."""
    for seconds in (-600, -270, -90, 90, 600, 86_400, -86_400):
        yield State("clock", f"this machine is {abs(seconds)} s {'ahead' if seconds < 0 else 'behind'}",
                    faults=(("clock-skew", "*", seconds),), rebuild=True, fresh=True)
