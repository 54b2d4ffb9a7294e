# SPDX-License-Identifier: Apache-2.0
"""HTTP and faults: everything between a socket and an endpoint's answer."""

from __future__ import annotations

import email.utils
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from .azure import SimulatedAzure

_BODY_LIMIT = 1 << 20


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    remark: str = ""  # for the request log only

    @staticmethod
    def json(value: Any, status: int = 200, **headers: str) -> Reply:
        names = {n.replace("_", "-"): v for n, v in headers.items()}
        return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8", **names})


class Service(Protocol):
    """One host. `endpoint` names the endpoint of a request, for faults and the log; `answer` answers the request."""

    def endpoint(self, request: Request) -> str: ...
    def answer(self, request: Request) -> Reply: ...


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], service: Service, azure: SimulatedAzure, tls: ssl.SSLContext | None) -> None:
        self.service = service
        self.azure = azure
        self.tls = tls
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Connection)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def shutdown_request(self, request: Any) -> None:
        # Closes without shutdown(2), which would turn the reset of the fault "refuse" into an orderly end.
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that disconnects is not an error


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "entralogin-simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60
    server: Listener

    def setup(self) -> None:
        context = self.server.tls
        if context is not None:
            endpoint = self.server.service.endpoint(_NOTHING)
            for name, faulty in self.server.azure.transport.faulty.items():
                if self.server.azure.faults.take(name, endpoint):
                    context = faulty
            self.request.settimeout(self.timeout)
            self.request = context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=True)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:  # type: ignore[override]
        return email.utils.formatdate(self.server.azure.now() if timestamp is None else timestamp, usegmt=True)

    def _serve(self) -> None:
        began = time.monotonic()
        split = urlsplit(self.path)
        length = min(int(self.headers.get("Content-Length") or 0), _BODY_LIMIT)
        request = Request(
            self.command, unquote(split.path), dict(parse_qsl(split.query, keep_blank_values=True)),
            {n.lower(): v for n, v in self.headers.items()}, self.rfile.read(length),
        )
        endpoint = self.server.service.endpoint(request)

        def note(status: int, remark: str = "") -> None:
            if endpoint == "control":
                return
            self.server.azure.log.add(
                endpoint=endpoint, host=request.headers.get("host"), method=request.method, path=split.path, query=request.query,
                status=status,
                client=self.client_address[0], correlation_id=request.headers.get("x-ms-correlation-request-id"),
                user_agent=request.headers.get("user-agent"), milliseconds=round((time.monotonic() - began) * 1000, 1),
                time=time.time(), **({"remark": remark} if remark else {}),
            )

        _Exchange(self, endpoint).run(request, note)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve


class _Exchange:
    """One request and its answer, changed by the faults that are active for its endpoint."""

    def __init__(self, connection: _Connection, endpoint: str) -> None:
        self._connection = connection
        self._endpoint = endpoint
        self._faults = connection.server.azure.faults

    def run(self, request: Request, note: Callable[..., None]) -> None:
        """Logs the request before it sends the answer, so that a client that has its answer finds the request in the log. The
        status is 0 if nothing is sent."""
        if delay := self._faults.take("latency", self._endpoint):
            time.sleep(float(delay.value or 100) / 1000)
        if self._faults.take("silent", self._endpoint):
            self._faults.wait_until_cleared("silent", self._endpoint)
            self._connection.close_connection = True
            note(0)
            return
        if self._faults.take("refuse", self._endpoint):
            note(0)
            self._reset()
            return
        reply = self._bent_reply() or self._answer(request)
        note(reply.status, reply.remark)
        self._send(reply, cut=self._faults.take("cut-body", self._endpoint) is not None)

    def _answer(self, request: Request) -> Reply:
        try:
            return self._connection.server.service.answer(request)
        except (KeyError, ValueError, TypeError) as error:
            return Reply.json({"error": {"code": "BadRequest", "message": f"{type(error).__name__}: {error}"}}, 400)

    def _bent_reply(self) -> Reply | None:
        take, endpoint = self._faults.take, self._endpoint
        if fault := take("throttle", endpoint):
            after = str(1 if fault.value is None else fault.value)
            return Reply.json({"error": {"code": "TooManyRequests", "message": "Slow down."}}, 429, Retry_After=after)
        if fault := take("server-error", endpoint):
            return Reply.json({"error": {"code": "InternalServerError", "message": "Try again."}},
                              int(fault.value or 500))
        if fault := take("status", endpoint):
            return Reply(int(fault.value or 403))
        if fault := take("refusal", endpoint):
            body = json.dumps({"statusCode": 403, "message": "Caller does not have RBAC permission provisioned."})
            return Reply(403, (body if fault.value is None else str(fault.value)).encode())
        if fault := take("redirect", endpoint):
            return Reply(302, headers={"Location": str(fault.value or "http://127.0.0.1:9/")})
        if fault := take("wrong-json", endpoint):
            body = json.dumps({"unexpected": [1]}) if fault.value is None else str(fault.value)
            return Reply(200, body.encode(), {"Content-Type": "application/json"})
        if fault := take("huge-body", endpoint):
            padding = b" " * (int(fault.value or 8) << 20)
            return Reply(200, b"[" + padding + b"]", {"Content-Type": "application/json"})
        if fault := take("refused-identity", endpoint):
            return Reply.json({"error": {"code": "AuthorizationFailed", "message": "The client does not have "
                              "authorization to perform action 'Microsoft.Authorization/checkaccess/action'."}},
                              int(fault.value or 403))
        return None

    def _send(self, reply: Reply, cut: bool) -> None:
        to = self._connection
        to.send_response(reply.status)
        for name, value in reply.headers.items():
            to.send_header(name, value)
        to.send_header("Content-Length", str(len(reply.body)))
        to.end_headers()
        if drip := self._faults.take("drip", self._endpoint):
            for byte in reply.body:
                to.wfile.write(bytes([byte]))
                to.wfile.flush()
                time.sleep(float(drip.value or 100) / 1000)
            return
        to.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)
        to.wfile.flush()
        if cut:
            to.close_connection = True

    def _reset(self) -> None:
        self._connection.close_connection = True
        self._connection.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


_NOTHING = Request("GET", "/", {}, {}, b"")
