# SPDX-License-Identifier: Apache-2.0
"""A test's client for the control endpoint of a running simulator."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CONTROL_PORT = 40200


class SimulatorControl:
    def __init__(self, port: int = CONTROL_PORT, host: str = "127.0.0.1") -> None:
        self._address = (host, port)

    def post(self, verb: str, **arguments: Any) -> Any:
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        try:
            connection.request("POST", f"/{verb}", json.dumps(arguments), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(f"simulator refuses {verb} {arguments}: {answer}")
        return answer

    def set_fault(self, name: str, endpoint: str = "*", value: Any = None, times: int | None = None) -> None:
        self.post("fault", name=name, endpoint=endpoint, value=value, times=times)

    def clear_faults(self) -> None:
        self.post("clear")

    @contextmanager
    def fault(self, name: str, endpoint: str = "*", value: Any = None) -> Iterator[None]:
        """The fault is active inside the block."""
        self.set_fault(name, endpoint, value)
        try:
            yield
        finally:
            self.post("clear", name=name, endpoint=endpoint)

    def rotate_keys(self) -> None:
        self.post("keys", action="rotate")

    def retire_old_keys(self) -> None:
        self.post("keys", action="retire")

    def restore_keys(self) -> None:
        """Goes back to the first key alone, as at the start."""
        self.post("keys", action="restore")

    def issued_tokens(self) -> list[str]:
        """All bearer and ID tokens issued so far, in full."""
        found: list[str] = self.post("tokens")
        return found

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Nothing listens at `name`, which is imds or himds, inside the block."""
        self.post("switch", name=name, up=False)
        try:
            yield
        finally:
            self.post("switch", name=name, up=True)

    @contextmanager
    def machine(self, **changes: Any) -> Iterator[None]:
        """The metadata service describes another machine inside the block."""
        before = self.post("machine", **changes)
        try:
            yield
        finally:
            self.post("machine", **before)

    def assign(self, who: str, role: str, scope: str = "machine", **more: Any) -> None:
        self.post("assign", who=who, role=role, scope=scope, **more)

    def withdraw(self, who: str, **which: str) -> int:
        return int(self.post("withdraw", who=who, **which)["withdrawn"])

    def requests(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """All requests since the start or the last `forget`, oldest first."""
        found: list[dict[str, Any]] = self.post("requests", **({"endpoint": endpoint} if endpoint else {}))
        return found

    def count(self, endpoint: str) -> int:
        return len(self.requests(endpoint))

    def forget_requests(self) -> None:
        self.post("forget")
