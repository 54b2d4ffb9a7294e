# SPDX-License-Identifier: Apache-2.0
"""Machines whose coreutils are those of uutils, in Rust, as on Ubuntu 25.10 and 26.04, but on Debian."""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path

from environment import Environment
from packages_environment import PackagesEnvironment
from testbed import Machine
from testbed.checks import equal, require
from testbed.installed import put_in_place

sys.path.append(str(Path(__file__).resolve().parents[1] / "Demo"))

from fixture import Fixture

# As Ubuntu has them: /usr/bin/NAME is a link, and GNU's program is called gnuNAME. Ubuntu 26.04 leaves cp, mv and rm to GNU;
# here uutils has them, too, as on 25.10. Debian's rust-coreutils has no basenc, factor and stty.
REPLACE = """set -e
uutils=/usr/lib/cargo/bin/coreutils
for path in $(dpkg -L coreutils | grep -E '^(/usr)?/s?bin/.'); do
  name=${path##*/}
  [ -e "$uutils/$name" ] || continue
  mv "$path" "${path%/*}/gnu$name"
  "$uutils/ln" -s "$uutils/$name" "$path"
done"""
# The utilities that configure, the programs beside it and the packages' scripts call: every one that has a --version.
CALLED = ("basename", "cat", "chmod", "chown", "cksum", "cp", "cut", "date", "dd", "env", "head", "id", "install", "ln", "ls",
          "md5sum", "mkdir", "mktemp", "mv", "od", "readlink", "rm", "rmdir", "sha256sum", "sleep", "sort", "stat", "sync",
          "tail", "tee", "timeout", "touch", "tr", "uniq", "wc")


def replace_coreutils(machine: Machine) -> str:
    """Puts uutils in place of GNU's coreutils; requires that all of `CALLED` are uutils', and returns their version."""
    machine.must("sh", "-c", REPLACE)
    machine.env = "/usr/bin/gnuenv"
    package = machine.must("dpkg-query", "-W", "-f", "${Version}", "rust-coreutils").out
    version = package.split("-")[0].split("+")[0]
    for name in CALLED:
        said = machine.must(name, "--version").lines()[0]
        # Version 0.0.30 prints the program's name alone, and for env "uu_env".
        equal(said.replace("(uutils coreutils) ", "").removeprefix("uu_"), f"{name} {version}", f"{name} --version")
        gnu = machine.must(f"gnu{name}", "--version").lines()[0]
        require("coreutils)" in gnu and version not in gnu, f"gnu{name} --version: {gnu}")
    return version


class PackagesOnUutils(PackagesEnvironment):
    """Booted machines with uutils, for the package and its scripts."""

    def _prepared(self) -> Machine:
        machine = self.testbed.machine("bare", layered=True)
        self.administer(machine)
        replace_coreutils(machine)
        machine.write("/etc/hostname", "contoso-vm\n")
        machine.must("systemctl", "disable", "nscd.service")
        machine.stop()
        return machine


class CoreutilsEnvironment(Environment):
    """Every machine has uutils before entralogin is installed."""

    version = ""

    def _installed(self, layered: bool = False) -> Machine:
        machine = self.testbed.machine("installed", layered=True)
        self.administer(machine)
        self.version = replace_coreutils(machine)
        put_in_place(machine)
        machine.stop()
        return machine

    @cached_property
    def booted(self) -> PackagesOnUutils:
        """Made for the first case that needs it."""
        return PackagesOnUutils(self.testbed)

    def with_gnu(self, name: str) -> Machine:
        """A machine that differs in nothing but its coreutils, which are GNU's."""
        machine = self.testbed.machine(name, layered=True)
        self.administer(machine)
        put_in_place(machine)
        return machine


class CoreutilsFixture(Fixture):
    """The demonstration's fixture on such machines."""

    def _stock(self, name: str) -> Machine:
        machine = self.testbed.machine(name, layered=True)
        replace_coreutils(machine)
        return machine
