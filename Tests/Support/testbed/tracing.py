# SPDX-License-Identifier: Apache-2.0
"""Traces the machine's processes with strace: above all, whether they connect to the daemon's sockets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .checks import require
from .machine import Machine, wait_for

SOCKETS = "/run/entralogin/"


@contextmanager
def tracing_sshd(machine: Machine, log: Path, calls: str, *options: str) -> Iterator[None]:
    """Traces the machine's sshd, and the child processes that it starts after strace is attached."""
    with tracing(machine.sshd_pid, log, calls, *options):
        yield


@contextmanager
def tracing(pid: int, log: Path, calls: str, *options: str) -> Iterator[None]:
    """Traces a process, by its id in the testbed, and the child processes that it starts from then on."""
    tracer = subprocess.Popen(["strace", "-f", "-q", "-e", f"trace={calls}", "-e", "signal=none", "-s", "200", *options,
                               "-o", str(log), "-p", str(pid)], stderr=subprocess.DEVNULL)

    def attached() -> bool:
        status = Path(f"/proc/{pid}/status").read_text()
        return next(line for line in status.splitlines() if line.startswith("TracerPid")).split()[1] != "0"

    try:
        wait_for(attached, "strace attached")
        yield
    finally:
        tracer.terminate()
        tracer.wait()


@contextmanager
def connecting_to_nothing(machine: Machine, log: Path, *daemon: str) -> Iterator[None]:
    """Runs a daemon during the block. Afterwards requires that it loaded entralogin's PAM module, and that neither it nor a
    child process connected to one of entralogin's sockets."""
    tracer = subprocess.Popen(["strace", "-f", "-q", "-e", "trace=connect,execve,openat", "-s", "200", "-o", str(log),
                               *machine.argv(daemon)], stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(tracer.pid, signal.SIGKILL)
        tracer.wait()
    text = log.read_text()
    require("pam_entralogin.so" in text, f"{daemon[0]} did not load our module: nothing was tried")
    require_no_connection(text)


def audited(trace: str) -> list[str]:
    """The texts that were sent to the kernel's audit system; strace shows them in hexadecimal."""
    found = re.findall(r'NLM_F_REQUEST[^"]*"((?:\\x[0-9a-f]{2})+)"', trace)
    return [bytes.fromhex(text.replace("\\x", "")).decode(errors="replace") for text in found]


def require_no_connection(trace: str) -> None:
    require(SOCKETS not in trace, next((line for line in trace.splitlines() if SOCKETS in line), ""))
