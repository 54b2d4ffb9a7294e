# SPDX-License-Identifier: Apache-2.0
"""A person at a machine's terminal, who reads what a program shows there, and types."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Callable, Sequence

from .machine import Machine

_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}


class Terminal:
    """A program with a controlling terminal of its own. Made inside the machine: see `at_terminal`."""

    def __init__(self, command: Sequence[str]) -> None:
        self.shown = ""
        self._read_to = 0
        self._pid, self._screen = pty.fork()
        if self._pid == 0:
            os.execve(command[0], list(command), _ENVIRONMENT)

    def expect(self, pattern: str, limit: float = 20) -> re.Match[str]:
        """Reads until the pattern appears after the last match; otherwise raises an error with all that was shown."""
        end = time.monotonic() + limit
        while not (found := re.compile(pattern).search(self.shown, self._read_to)):
            if not self._read(end - time.monotonic()):
                raise TimeoutError(f"{pattern!r} does not show: {self.shown!r}")
        self._read_to = found.end()
        return found

    def type(self, line: str) -> None:
        self.press(line + "\r")

    def press(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def end(self, limit: float = 20) -> None:
        """Reads on until no process holds the other end, and waits until the program has ended."""
        end = time.monotonic() + limit
        while self._read(end - time.monotonic()):
            pass
        while os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"it does not end: {self.shown!r}")
            time.sleep(0.01)

    def close(self) -> None:
        os.close(self._screen)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def _read(self, limit: float) -> bool:
        """False if no process holds the other end any more, or the time is over."""
        if limit <= 0 or not select.select([self._screen], [], [], limit)[0]:
            return False
        try:
            part = os.read(self._screen, 65536)
        except OSError:  # EIO: no process holds the other end any more
            return False
        self.shown += part.decode(errors="replace").replace("\r", "")
        return bool(part)


def at_terminal(machine: Machine, command: Sequence[str], act: Callable[[Terminal], str | None], user: str = "root",
                limit: float = 90) -> str:
    """Runs the command as `user` and gives its terminal to `act`; returns the result of `act`, or else all that was shown."""

    def sit() -> str:
        terminal = Terminal(command)
        try:
            return act(terminal) or terminal.shown
        finally:
            terminal.close()

    seen: str = machine.inside(sit, user, limit)
    return seen
