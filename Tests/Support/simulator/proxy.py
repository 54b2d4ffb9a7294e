# SPDX-License-Identifier: Apache-2.0
"""An HTTPS proxy (CONNECT; RFC 9110, 9.3.6): plain or over TLS, open or with credentials. It resolves names itself."""

from __future__ import annotations

import base64
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from urllib.parse import unquote

from .azure import SimulatedAzure

USER, PASSWORD = "fleet", "correct horse"
_EXPECTED = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

Resolver = Callable[[str], tuple[str, int] | None]


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], azure: SimulatedAzure, resolve: Resolver, tls: ssl.SSLContext | None,
                 closed: bool) -> None:
        """`closed`: the proxy requires credentials."""
        self.azure = azure
        self.resolve = resolve
        self.tls = tls
        self.closed = closed
        super().__init__(address, _Tunnel)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that disconnects is not an error


class _Tunnel(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        near: socket.socket = self.request
        near.settimeout(60)
        if self.server.tls is not None:
            near = self.server.tls.wrap_socket(near, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head and len(head) < 16_384:
            chunk = near.recv(4096)
            if not chunk:
                return
            head += chunk
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = (lines[0] + "  ").split(" ", 2)
        fields = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:] if line)}
        status = self._verdict(method, target, fields)
        self.server.azure.log.add(endpoint="proxy", method=method, path=unquote(target), status=status,
                                  port=self.server.port)
        if status != 200:
            more = "Proxy-Authenticate: Basic realm=\"fleet\"\r\n" if status == 407 else ""
            near.sendall(f"HTTP/1.1 {status} No\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return
        address = self.server.resolve(target.rpartition(":")[0])
        assert address is not None
        with socket.create_connection(address, timeout=10) as far:
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _splice(near, far)

    def _verdict(self, method: str, target: str, fields: dict[str, str]) -> int:
        if fault := self.server.azure.faults.take("status", "proxy"):
            return int(fault.value or 403)
        if self.server.closed and fields.get("proxy-authorization") != _EXPECTED:
            return 407
        if method != "CONNECT":
            return 405
        return 200 if self.server.resolve(target.rpartition(":")[0]) else 502


def _splice(near: socket.socket, far: socket.socket) -> None:
    while True:
        pending = isinstance(near, ssl.SSLSocket) and near.pending() > 0
        ready = [near] if pending else select.select([near, far], [], [], 60)[0]
        if not ready:
            return
        for one in ready:
            data = one.recv(65_536)
            if not data:
                return
            (far if one is near else near).sendall(data)
