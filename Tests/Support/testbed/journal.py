# SPDX-License-Identifier: Apache-2.0
"""A journal for one machine: receives the daemon's records, field by field, in journald's native protocol
(https://systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

from __future__ import annotations

import array
import os
import secrets
import socket
import struct
import threading
from collections.abc import Callable

from .machine import Machine, wait_for

_PATH = "/run/systemd/journal/socket"
_MARK = "TESTBED_MARK"
Record = dict[str, str]


class Journal:
    """Receives from the moment it is made until `close`; make it before the service starts."""

    def __init__(self, machine: Machine) -> None:
        path = machine.path(_PATH)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(str(path))
        path.chmod(0o666)
        self._path = path
        self._records: list[Record] = []
        self._marks: dict[str, int] = {}  # how many records had come before the mark's line
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def mark(self) -> int:
        """A position in the journal, after everything that has been sent so far; `since` returns what came after it."""
        line = secrets.token_hex(8)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(f"{_MARK}={line}".encode(), str(self._path))
        except OSError:  # the machine has been stopped: no more records come
            return len(self._records)
        wait_for(lambda: line in self._marks, "the journal to have read what was sent")
        return self._marks.pop(line)

    def since(self, mark: int = 0, **fields: str) -> list[Record]:
        """The records after the mark that have these fields (`event="account"` is ENTRALOGIN_EVENT=account), oldest first."""
        self.mark()
        return self._found(mark, fields)

    def _found(self, mark: int, fields: dict[str, str]) -> list[Record]:
        wanted = {f"ENTRALOGIN_{name.upper()}": value for name, value in fields.items()}
        return [r for r in self._records[mark:] if all(r.get(k) == v for k, v in wanted.items())]

    def wait(self, mark: int, condition: Callable[[Record], bool] = lambda _: True, limit: float = 30,
             **fields: str) -> Record:
        """The first record after the mark that has these fields and meets the condition. Waits for it, because the daemon may
        answer before it logs."""
        found: list[Record] = []

        def there() -> bool:
            found[:] = [r for r in self._found(mark, fields) if condition(r)]
            return bool(found)

        try:
            wait_for(there, f"a record with {fields}", limit)
        except TimeoutError:
            seen = [one_line(r) for r in self.since(mark)]
            raise TimeoutError(f"no record with {fields}; there are {seen}") from None
        return found[0]

    def text(self) -> str:
        """Every field of every record, each on a line of its own."""
        return "\n".join(f"{k}={v}" for r in list(self._records) for k, v in r.items())

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(1 << 18, socket.CMSG_SPACE(4))
            except OSError:
                return
            if not data and not ancillary:
                return
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    data = _from_memory(array.array("i", content[:4])[0])
            record = parsed(data)
            if _MARK in record:
                self._marks[record[_MARK]] = len(self._records)
            else:
                self._records.append(record)


def parsed(data: bytes) -> Record:
    """Each field is a line KEY=value; or KEY, a line's end, a 64-bit length and that many bytes."""
    record: Record = {}
    while data:
        line, _, rest = data.partition(b"\n")
        key, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8:8 + length], rest[8 + length + 1:]
        record[key.decode(errors="replace")] = value.decode(errors="replace")
        data = rest
    return record


def one_line(record: Record) -> str:
    return " ".join(f"{k.removeprefix('ENTRALOGIN_').lower()}={v}" for k, v in record.items()
                    if k.startswith("ENTRALOGIN_") or k == "MESSAGE")


def _from_memory(descriptor: int) -> bytes:
    """A record too long for a datagram comes as a sealed memory file."""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        return file.read()
