# SPDX-License-Identifier: Apache-2.0
"""One thing that is broken on a machine, and how what was there is kept and put back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from booted_ground import BootedSite


@dataclass(frozen=True)
class State:
    """One thing that is broken. `faults` of the simulator: name, endpoint, value. `paths` are put back afterwards, then `undo`
    runs, or the machine is made anew (`rebuild`). `after`: what the administrator or the machine does next. `denied`: who
    is kept out by root's own word; `local`: people with local accounts get in all the same; `fresh`: certificates are
    issued after the break; `deep`: much the same as others, and played with --deep alone."""

    group: str
    name: str
    act: Callable[[BootedSite], object] = lambda site: None
    paths: tuple[str, ...] = ()
    after: str = ""
    undo: str = ""
    faults: tuple[tuple[str, str, object], ...] = ()
    role_is_known: bool = True
    denied: tuple[str, ...] = ()
    local: bool = True
    fresh: bool = False
    rebuild: bool = False
    deep: bool = False

    @property
    def title(self) -> str:
        return f"{self.group}: {self.name}"


def packed(site: BootedSite, path: str) -> bytes:
    """The path with all below it, by tar; empty where there is nothing."""
    root, name = site.machine.path("/"), path.lstrip("/")
    if not (root / name).exists() and not (root / name).is_symlink():
        return b""
    return subprocess.run(["tar", "-C", str(root), "-cpf", "-", name], capture_output=True, check=True).stdout


def unpack(site: BootedSite, path: str, archive: bytes) -> None:
    site.machine.run("rm", "-rf", path)
    if archive:
        subprocess.run(["tar", "-C", str(site.machine.path("/")), "-xpf", "-"], input=archive, check=True,
                       capture_output=True)
