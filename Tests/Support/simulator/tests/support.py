# SPDX-License-Identifier: Apache-2.0
"""A simulator for each test, on free loopback ports, and a small client for it."""

from __future__ import annotations

import http.client
import json
import ssl
import tempfile
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from simulator import contoso
from simulator.access import HINTS
from simulator.azure import SimulatedAzure
from simulator.client import SimulatorControl
from simulator.clouds import LINUX_SIGN_IN_APPLICATION
from simulator.simulator import Addresses, Simulator

# All tests share one state folder, because keys take a moment to make.
_STATE = tempfile.TemporaryDirectory(prefix="simulator-")
LOGIN = "Microsoft.Compute/virtualMachines/login/action"
ADMIN = "Microsoft.Compute/virtualMachines/loginAsAdmin/action"


class SimulatorTestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.azure = SimulatedAzure(Path(_STATE.name), numbered=3)
        self.simulator = Simulator(self.azure, Addresses.anywhere())
        self.simulator.start()
        self.addCleanup(self.azure.log.close)
        self.addCleanup(self.simulator.stop)
        self.ports = self.simulator.ports()
        self.control = SimulatorControl(self.ports["control"])

    def ask(self, host: str, method: str, path: str, body: bytes | str | None = None, timeout: float = 30,
            **headers: str) -> tuple[int, Any, http.client.HTTPMessage]:
        if host in ("imds", "himds", "control"):
            connection = http.client.HTTPConnection("127.0.0.1", self.ports[host], timeout=timeout)
        else:
            context = ssl.create_default_context(cafile=str(self.azure.transport.authority))
            connection = http.client.HTTPSConnection("localhost", self.ports[host], timeout=timeout, context=context)
        try:
            connection.request(method, path, body, {n.replace("_", "-"): v for n, v in headers.items()})
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        return reply.status, json.loads(text) if text else None, reply.headers

    def identity_token(self, resource: str = LINUX_SIGN_IN_APPLICATION) -> str:
        query = urlencode({"api-version": "2018-02-01", "resource": resource})
        _, answer, _ = self.ask("imds", "GET", f"/metadata/identity/oauth2/token?{query}", Metadata="true")
        return str(answer["access_token"])

    def arm_token(self) -> str:
        return self.identity_token("https://management.azure.com")

    def check(self, who: str, host: str = "pas", token: str | None = None, hints: tuple[str, ...] = tuple(HINTS),
              resource: str = contoso.MACHINE) -> tuple[int, Any, http.client.HTTPMessage]:
        attributes: dict[str, Any] = {"ObjectId": self.azure.directory.principals[who].object_id}
        attributes |= dict(HINTS[hint] for hint in hints)
        body = {"Subject": {"Attributes": attributes}, "Resource": {"Id": resource},
                "Actions": [{"Id": a, "IsDataAction": True} for a in (LOGIN, ADMIN)]}
        path = f"{quote(resource)}/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview"
        if token is None:
            token = self.identity_token() if host == "pas" else self.arm_token()
        return self.ask(host, "POST", path, json.dumps(body), Authorization=f"Bearer {token}",
                        Content_Type="application/json", x_ms_correlation_request_id="c0")

    def allowed(self, who: str, **more: Any) -> list[bool]:
        """[login, loginAsAdmin]"""
        status, answer, _ = self.check(who, **more)
        self.assertEqual(status, 200, answer)
        return [a["accessDecision"] == "Allowed" for a in answer]
