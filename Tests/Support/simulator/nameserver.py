# SPDX-License-Identifier: Apache-2.0
"""A name server for Azure's hosts (RFC 1035, over UDP). Faults make it slow, silent, or fail always or every other time."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from contextlib import suppress

from .azure import SimulatedAzure
from .clouds import HOST_NAMES

_A, _IN = 1, 1
_NO_ERROR, _SERVER_FAILURE, _NO_SUCH_NAME = 0, 2, 3


class NameServer:
    def __init__(self, address: tuple[str, int], azure: SimulatedAzure, hosts: dict[str, str]) -> None:
        self._azure = azure
        self._hosts = hosts
        # One counter for each name, so that queries for other names do not matter. With the fault "every-other", the first
        # query for a name of Resource Manager is answered, and the first query for any other name fails.
        self._numbers = {name: itertools.count(1 if name in HOST_NAMES["arm"] else 0) for name in hosts}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(address)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        threading.Thread(target=self._serve, daemon=True).start()

    def shutdown(self) -> None:
        self._socket.close()

    def server_close(self) -> None:
        pass

    def _serve(self) -> None:
        while True:
            try:
                question, sender = self._socket.recvfrom(512)
            except OSError:
                return
            threading.Thread(target=self._answer, args=(question, sender), daemon=True).start()

    def _answer(self, question: bytes, sender: tuple[str, int]) -> None:
        faults = self._azure.faults
        name, end = _name(question)
        kind, _ = struct.unpack(">HH", question[end:end + 4])
        self._azure.log.add(endpoint="dns", method="A" if kind == _A else str(kind), path=name, status=0)
        if delay := faults.take("latency", "dns"):
            time.sleep(float(delay.value or 100) / 1000)
        if faults.take("silent", "dns"):
            return
        failing = faults.take("server-error", "dns") is not None
        if kind == _A and name in self._numbers and faults.take("every-other", "dns"):
            failing = failing or next(self._numbers[name]) % 2 == 0
        address = self._hosts.get(name)
        code = _SERVER_FAILURE if failing else _NO_ERROR if address else _NO_SUCH_NAME
        record = b""
        if code == _NO_ERROR and kind == _A and address:
            record = b"\xc0\x0c" + struct.pack(">HHIH", _A, _IN, 0, 4) + socket.inet_aton(address)
        header = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if record else 0, 0, 0)
        with suppress(OSError):  # the client has gone, or this server has
            self._socket.sendto(header + question[12:end + 4] + record, sender)


def _name(question: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode("latin-1"))
        at += 1 + question[at]
    return ".".join(labels).lower(), at + 1
