# SPDX-License-Identifier: Apache-2.0
"""The Debian package of the build, one of an earlier version, and a comparison of a machine's files before and after."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .installed import REPOSITORY
from .machine import Machine, Outcome, run

NAME = "entralogin"
# The PAM profile in the earlier version's package: lines as an earlier profile had them, at another position in the stack.
_OLD_PROFILE = """Name: Entra sign-in
Default: no
Priority: 300
Account-Type: Primary
Account:
\t[success=ok ignore=ignore default=die]\tpam_entralogin.so
Session-Type: Additional
Session:
\t[success=ok ignore=ignore default=die]\tpam_entralogin.so
\toptional\tpam_mkhomedir.so
"""
# Not compared: files that other programs may write during a test, and what dpkg and systemd record about packages and units.
_VOLATILE = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/log", "/var/tmp", "/var/cache", "/var/lib/dpkg", "/var/lib/apt",
             "/var/lib/systemd", "/var/backups", "/root/packages", "/etc/ld.so.cache", "/var/lib/nscd", "/home",
             "/var/lib/private")


class Packages:
    """Made once for all machines; `current` is the package under test, `previous` one of the version before."""

    def __init__(self, folder: Path) -> None:
        build(folder)
        self.current = next(folder.glob(f"{NAME}_[0-9]*.deb"))
        self.previous = _older(self.current, folder / "older")

    def put(self, machine: Machine, deb: Path) -> str:
        """Copies a package into the machine; returns its path there."""
        target = machine.path("/root/packages") if machine.holder else machine.root / "root/packages"
        target.mkdir(exist_ok=True)
        shutil.copy(deb, target / deb.name)
        return f"/root/packages/{deb.name}"


def build(folder: Path) -> list[Path]:
    """Makes every package of the build as `make deb` does; returns their paths."""
    _must([str(REPOSITORY / "packaging/debian/build"), str(folder)], COMPRESSION="none")
    return sorted(folder.glob(f"{NAME}*.deb"))


def apt(machine: Machine, *arguments: str) -> Outcome:
    """Calls apt-get as an administrator does, but without questions. The machine has no archive, so apt-get fetches nothing."""
    return machine.run("/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y",
                       *arguments, timeout=120)


def state(machine: Machine) -> str:
    """dpkg's status of entralogin: `install ok installed`, `deinstall ok config-files`, or empty."""
    return machine.run("dpkg-query", "-W", "-f", "${Status}", NAME).out


def other_product(folder: Path, name: str) -> Path:
    """An empty package with the name of another product."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
    (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: n <n@example.org>\n"
                                         "Description: stands in for the product of that name\n")
    _must(["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(folder)])
    return next(folder.glob(f"{name}_*.deb"))


def inventory(machine: Machine, *below: str) -> dict[str, str]:
    """Every file, folder and link of the machine, or of these folders, with its mode, owner, and target or digest."""
    pruned = " -o ".join(f"-path {path}" for path in _VOLATILE)
    places = " ".join(below) or "/"
    listed = machine.shell(f"find {places} -xdev \\( {pruned} \\) -prune -o -printf '%p\\t%M %U:%G %l\\n'").lines()
    found = dict(line.split("\t", 1) for line in listed if "\t" in line)
    sums = machine.shell(f"find {places} -xdev \\( {pruned} \\) -prune -o -type f -print0 | xargs -0 sha256sum").lines()
    for line in sums:
        digest, _, path = line.partition("  ")
        found[path] = f"{found.get(path, '')} {digest}"
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """`+path`, `-path` or `~path`, sorted."""
    added = [f"+{path}" for path in after.keys() - before.keys()]
    gone = [f"-{path}" for path in before.keys() - after.keys()]
    changed = [f"~{path}" for path in before.keys() & after.keys() if before[path] != after[path]]
    return sorted(added + gone + changed)


def changed(deb: Path, tree: Path, version: str, change: Callable[[Path], None]) -> Path:
    """The path, beside `tree`, of a package with another version, whose files `change` has changed in `tree`."""
    tree.parent.mkdir(parents=True, exist_ok=True)
    _must(["dpkg-deb", "--raw-extract", str(deb), str(tree)])
    control = tree / "DEBIAN/control"
    lines = [f"Version: {version}" if line.startswith("Version:") else line for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    change(tree)
    (tree / "DEBIAN/md5sums").unlink()
    _must(["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(tree.parent)])
    return next(tree.parent.glob(f"{NAME}_{version}_*.deb"))


def _older(deb: Path, tree: Path) -> Path:
    def change(tree: Path) -> None:
        (tree / "usr/share/pam-configs" / NAME).write_text(_OLD_PROFILE)

    return changed(deb, tree, "0.0.9", change)


def _must(argv: list[str], **more: str) -> Outcome:
    outcome = run(argv, timeout=300, environment={**os.environ, **more})
    if not outcome.ok:
        raise RuntimeError(f"{argv[0]}: exit status {outcome.status}\n{outcome.text}")
    return outcome
