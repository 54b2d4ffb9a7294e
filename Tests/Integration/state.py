# SPDX-License-Identifier: Apache-2.0
"""One thing that is broken on a machine, and how its former content is kept and put back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from booted_environment import BootedHost


@dataclass(frozen=True)
class State:
    """One thing that is broken. `faults` of the simulator: name, endpoint, value. `paths` are put back afterwards, then `undo`
    runs, or a new machine is booted (`rebuild`). `after`: what the administrator or the machine does next. `denied`: users whom
    root's own settings refuse; `local`: local users can still sign in; `fresh`: certificates are issued after the break;
    `deep`: much the same as other states, so only with --deep."""

    group: str
    name: str
    act: Callable[[BootedHost], object] = lambda host: None
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


def packed(host: BootedHost, path: str) -> bytes:
    """A tar archive of the path and all below it; empty if there is nothing."""
    root, name = host.machine.path("/"), path.lstrip("/")
    if not (root / name).exists() and not (root / name).is_symlink():
        return b""
    return subprocess.run(["tar", "-C", str(root), "-cpf", "-", name], capture_output=True, check=True).stdout


def unpack(host: BootedHost, path: str, archive: bytes) -> None:
    host.machine.run("rm", "-rf", path)
    if archive:
        subprocess.run(["tar", "-C", str(host.machine.path("/")), "-xpf", "-"], input=archive, check=True,
                       capture_output=True)
