# SPDX-License-Identifier: Apache-2.0
"""Starts one service as systemd would: in the machine's mount namespace, with its sockets, as its user.

Runs as a process of its own (`python3 activate.py`, a JSON object on standard input) and becomes the service, so that
its process id is the service's. It looks no name up through NSS, so that the machine's modules stay out of this process.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import time
from typing import Any

_CLONE_NEWNS = 0x00020000
_PR_SET_NO_NEW_PRIVS = 38
_FIRST_DESCRIPTOR = 3
_KINDS = {"stream": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET, "datagram": socket.SOCK_DGRAM}


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{asked['holder']}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    if libc.setns(namespace, _CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **asked["environment"]}
    sockets = [_listen(unit) for unit in asked["sockets"]]
    for folder, mode in asked["folders"]:
        _make_folder(folder, mode, asked["user"], asked["group"])
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    _place(sockets)
    if sockets:
        environment |= {"LISTEN_FDS": str(len(sockets)), "LISTEN_PID": str(os.getpid()),
                        "LISTEN_FDNAMES": ":".join(unit["name"] for unit in asked["sockets"])}
    for name, limit in asked["limits"].items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        bounded = hard if limit < 0 else limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(number, (bounded, bounded))
    uid, gid = _uid(asked["user"]), _gid(asked["group"])
    os.setgroups([gid, *(_gid(g) for g in asked["more_groups"]), *_groups_of(asked["user"])])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    os.umask(asked["umask"])
    if asked["no_new_privileges"]:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.chdir("/")
    _default_signals()
    _tell_time(environment.get("NOTIFY_SOCKET", ""))
    os.execve(asked["command"][0], asked["command"], environment)


def _default_signals() -> None:
    """Resets all signals except SIGPIPE, which Python ignores and systemd does too. A shell that runs the tests in the
    background makes its programs ignore more signals."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _listen(unit: dict[str, Any]) -> socket.socket:
    path = unit["path"]
    os.makedirs(os.path.dirname(path), unit["folder_mode"], exist_ok=True)
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, _KINDS[unit["kind"]])
    listener.setblocking(not unit["nonblocking"])
    before = os.umask(0o777 & ~unit["mode"])
    listener.bind(path)
    os.umask(before)
    os.chown(path, _uid(unit["user"]), _gid(unit["group"]))
    os.chmod(path, unit["mode"])
    if unit["kind"] != "datagram":
        listener.listen(unit["backlog"])
    return listener


def _place(sockets: list[socket.socket]) -> None:
    """Moves the sockets to descriptors 3, 4, …, which are inherited; all above them close at exec."""
    high = [os.dup2(s.fileno(), 100 + i, inheritable=False) for i, s in enumerate(sockets)]
    for i, descriptor in enumerate(high):
        os.dup2(descriptor, _FIRST_DESCRIPTOR + i, inheritable=True)
        os.close(descriptor)


def _tell_time(address: str) -> None:
    """Sends the time at which the service itself begins; `Service.milliseconds_to_ready` counts from it."""
    if address.startswith("@"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(f"X_BEGINS={time.monotonic()}".encode(), "\0" + address[1:])


def _make_folder(path: str, mode: int, user: str, group: str) -> None:
    os.makedirs(path, exist_ok=True)
    found = os.stat(path)
    if (found.st_uid, found.st_gid, found.st_mode & 0o7777) != (_uid(user), _gid(group), mode):
        os.chown(path, _uid(user), _gid(group))
        os.chmod(path, mode)


def _uid(name: str) -> int:
    return _field("/etc/passwd", name)


def _gid(name: str) -> int:
    return _field("/etc/group", name)


def _groups_of(user: str) -> list[int]:
    """The groups that list the user, which systemd adds as well."""
    with open("/etc/group", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split(":") for line in lines]
    return [int(row[2]) for row in rows if len(row) == 4 and user in row[3].split(",")]


def _field(table: str, name: str) -> int:
    if name.isdigit():
        return int(name)
    with open(table, encoding="utf-8") as lines:
        for line in lines:
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2])
    raise SystemExit(f"activate: {table} has no {name!r}: did sysusers run?")


if __name__ == "__main__":
    main()
