# SPDX-License-Identifier: Apache-2.0
"""Reads the installed unit files: as much of systemd's language as starting the daemon needs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

YES = frozenset({"yes", "true", "on", "1"})
_LISTEN = {"ListenSequentialPacket": "seqpacket", "ListenStream": "stream", "ListenDatagram": "datagram"}
_FOLDERS = {"RuntimeDirectory": "/run", "StateDirectory": "/var/lib", "CacheDirectory": "/var/cache"}


class Unit:
    """One unit file: every value of a key in order; an empty value clears what came before it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._values: dict[tuple[str, str], list[str]] = {}
        section = ""
        for line in map(str.strip, path.read_text().replace("\\\n", " ").splitlines()):
            if not line or line[0] in "#;":
                continue
            if line.startswith("["):
                section = line.strip("[]")
                continue
            key, _, value = line.partition("=")
            values = self._values.setdefault((section, key.strip()), [])
            values.append(value.strip()) if value.strip() else values.clear()

    def all(self, section: str, key: str) -> list[str]:
        return self._values.get((section, key), [])

    def one(self, section: str, key: str, default: str = "") -> str:
        return (self.all(section, key) or [default])[-1]

    def words(self, section: str, key: str) -> list[str]:
        return [word for value in self.all(section, key) for word in value.split()]


@dataclass(frozen=True)
class Command:
    argv: list[str]
    as_root: bool
    may_fail: bool

    @staticmethod
    def parse(value: str) -> Command:
        prefixes = value[: len(value) - len(value.lstrip("@-:+!"))]
        return Command(shlex.split(value[len(prefixes):]), bool({"+", "!"} & set(prefixes)), "-" in prefixes)


def service_unit(root: Path, name: str) -> Unit:
    return Unit(_unit_folder(root) / name)


def socket_units(root: Path, service: str) -> list[dict[str, Any]]:
    """The sockets that activate the service, in the form that activate.py takes."""
    found = []
    for path in sorted(_unit_folder(root).glob("*.socket")):
        unit = Unit(path)
        if unit.one("Socket", "Service", path.stem + ".service") == service:
            found += [_socket(unit, kind, where) for key, kind in _LISTEN.items() for where in unit.all("Socket", key)]
    return found


def folders(unit: Unit) -> list[tuple[str, int]]:
    """Absolute path and mode of each folder in RuntimeDirectory= and the like, in the unit's order."""
    return [
        (f"{top}/{name}", int(unit.one("Service", f"{key}Mode", "0755"), 8))
        for key, top in _FOLDERS.items()
        for name in unit.words("Service", key)
    ]


def limits(unit: Unit) -> dict[str, int]:
    """LimitCORE= and LimitNOFILE=, by the names of the module resource."""
    return {f"RLIMIT_{name}": int(unit.one("Service", f"Limit{name}")) for name in ("CORE", "NOFILE")
            if unit.one("Service", f"Limit{name}")}


def _socket(unit: Unit, kind: str, path: str) -> dict[str, Any]:
    return {
        "kind": kind, "path": path, "user": unit.one("Socket", "SocketUser", "root"),
        "group": unit.one("Socket", "SocketGroup", "root"), "mode": int(unit.one("Socket", "SocketMode", "0666"), 8),
        "folder_mode": int(unit.one("Socket", "DirectoryMode", "0755"), 8),
        "backlog": int(unit.one("Socket", "Backlog", "4096")),
        "name": unit.one("Socket", "FileDescriptorName", unit.name),
        "nonblocking": unit.one("Socket", "NonBlocking", "no") in YES,
    }


def _unit_folder(root: Path) -> Path:
    return next(root / f for f in ("usr/lib/systemd/system", "lib/systemd/system") if (root / f).is_dir())
