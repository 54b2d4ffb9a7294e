# SPDX-License-Identifier: Apache-2.0
"""Small C programs of the tests, compiled when a test needs them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .machine import HERE, Machine

# TESTBED_CC is the compiler for a root whose libraries are older than the host's.
_COMPILER = os.environ.get("TESTBED_CC", "cc").split()
_FLAGS = ("-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow")


def compiled(source: Path, folder: Path, *more: str) -> Path:
    """The program (or, with "-shared", the library) made of `source`, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.stem
    done = subprocess.run([*_COMPILER, *_FLAGS, "-o", str(target), str(source), *more], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{source.name} does not compile:\n{done.stderr}")
    return target


def placed(machine: Machine, source: str, scratch: Path, *more: str) -> str:
    """Compiles the testbed's `source` and copies the program into the machine; returns its path there."""
    program = compiled(HERE / source, scratch, *more)
    target = machine.path(f"/usr/local/bin/{program.name}")
    target.write_bytes(program.read_bytes())
    target.chmod(0o755)
    return f"/usr/local/bin/{program.name}"
