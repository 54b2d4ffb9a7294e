# SPDX-License-Identifier: Apache-2.0
"""A journal for one machine: takes what the daemon logs, field by field, in journald's native protocol
(https://systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

from __future__ import annotations

import array
import os
import socket
import struct
import threading
from typing import Callable

from .machine import Machine, wait_for

_PATH = "/run/systemd/journal/socket"
Record = dict[str, str]


class Journal:
    """Begins to listen when it is made; must be there before the service starts. Ends with the machine."""

    def __init__(self, machine: Machine) -> None:
        path = machine.path(_PATH)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(str(path))
        path.chmod(0o666)
        self._records: list[Record] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def mark(self) -> int:
        """A place in the journal; `since` gives what came after it."""
        return len(self._records)

    def since(self, mark: int = 0, **fields: str) -> list[Record]:
        """The records that have these fields (`event="account"` is ENTRALOGIN_EVENT=account), oldest first."""
        wanted = {f"ENTRALOGIN_{name.upper()}": value for name, value in fields.items()}
        return [r for r in self._records[mark:] if all(r.get(k) == v for k, v in wanted.items())]

    def wait(self, mark: int, condition: Callable[[Record], bool] = lambda _: True, limit: float = 10,
             **fields: str) -> Record:
        """The first such record after the mark; waits for it, because a record may come after the answer."""
        found: list[Record] = []

        def there() -> bool:
            found[:] = [r for r in self.since(mark, **fields) if condition(r)]
            return bool(found)

        try:
            wait_for(there, f"a record with {fields}", limit)
        except TimeoutError:
            seen = [one_line(r) for r in self.since(mark)]
            raise TimeoutError(f"no record with {fields}; there are {seen}") from None
        return found[0]

    def text(self) -> str:
        """Every field of every record, one a line."""
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
            self._records.append(parsed(data))


def parsed(data: bytes) -> Record:
    """KEY=value lines; or KEY, a line's end, a 64-bit length and that many bytes."""
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
