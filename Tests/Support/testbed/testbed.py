# SPDX-License-Identifier: Apache-2.0
"""The testbed: the simulator of Azure, machines, and people who sign in to them. Runs inside `enter`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from simulator import contoso
from simulator.client import SimulatorControl
from simulator.sshkeys import public_line

from .installed import REPOSITORY
from .machine import Machine
from .person import Person, entra_person, forged, local_person

__all__ = ["REPOSITORY", "Testbed"]


class Testbed:
    """Use as a context manager. Stops what it started, by process id."""

    def __init__(self, numbered: int = 0) -> None:
        self.scratch = Path(os.environ["TESTBED_SCRATCH"])
        self.keys = Path(os.environ["TESTBED_CACHE"]) / "keys"  # kept between runs: RSA keys take a moment to make
        self.azure_folder = self.scratch / "azure"
        self.directory = contoso.directory(numbered)
        self.azure = SimulatorControl()
        self.machines: dict[str, Machine] = {}
        self._made = 0
        self._simulator = subprocess.Popen(
            [sys.executable, "-m", "simulator", "serve", "--state", str(self.azure_folder), "--keys",
             str(self.keys / "entra"), "--numbered", str(numbered)],
            stdout=subprocess.PIPE, text=True,
        )
        assert self._simulator.stdout is not None
        line = self._simulator.stdout.readline()
        if not line:
            raise RuntimeError("the simulator did not start")
        self.authority = Path(json.loads(line)["authority"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines.values():
            machine.stop()
        self._simulator.terminate()
        self._simulator.wait()

    def keep(self, machine: Machine) -> None:
        """Takes over a machine that the caller made, to stop it with the others."""
        self.machines[machine.folder.name] = machine

    def machine(self, name: str, base: Machine | None = None, layered: bool = False) -> Machine:
        """A fresh machine; takes 0.1 s. It begins with the files of `base`, which must be stopped; `layered`: with the packages
        of `enter --layer`. Stops an earlier machine of this name."""
        former = self.machines.pop(name, None)
        if former is not None:
            former.stop()
        self._made += 1
        folder = self.scratch / (name if former is None else f"{name}-{self._made}")
        self.machines[name] = Machine(folder, base, Path(os.environ["TESTBED_LAYER"]) if layered else None)
        return self.machines[name]

    def person(self, key: str) -> Person:
        """A person in the directory, with a valid certificate that Entra has just issued."""
        return entra_person(self.directory.principals[key], self._folder(key), self.keys, self.authority)

    def local(self, name: str, password: str = "correct horse") -> Person:
        """A person with an account on the machine itself; `Machine.add_local_user` makes the account."""
        return local_person(name, self._folder(f"local-{name}"), self.keys, password)

    def forged(self, key: str, stranger: bool = False, **changes: Any) -> Person:
        """A person with a certificate that is wrong in the named fields of `Template`, or from a CA that is not Entra's."""
        person = self.person(key)
        authority = self.keys / "entra" / ("stranger" if stranger else "entra-1")
        line = forged(self.directory.principals[key], authority, public_line(person.identity), **changes)
        return person.holding(line)

    def _folder(self, name: str) -> Path:
        return self.scratch / "people" / name
