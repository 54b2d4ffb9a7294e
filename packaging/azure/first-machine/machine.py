# SPDX-License-Identifier: Apache-2.0
"""The machine: its settings, its metadata service, entraloginctl, and requests over HTTP."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from report import Report

METADATA, ARC = "http://169.254.169.254", "http://127.0.0.1:40342"
CLOUDS = {  # login host, role service, Resource Manager
    "azurepubliccloud": ("https://login.microsoftonline.com", "https://pas.windows.net",
                         "https://management.azure.com"),
    "azureusgovernmentcloud": ("https://login.microsoftonline.us", "https://pasff.usgovcloudapi.net",
                               "https://management.usgovcloudapi.net"),
    "azurechinacloud": ("https://login.chinacloudapi.cn", "https://pas.chinacloudapi.cn",
                        "https://management.chinacloudapi.cn"),
}


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Machine:
    """The machine's settings and services, and requests to them."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.settings = {entry["key"]: entry["value"] for entry in self.tool("config") or []}
        self.context = ssl.create_default_context(cafile=self.settings.get("Azure.CAFile") or None)
        self.arc = False
        self.compute: dict[str, Any] = {}

    def tool(self, *arguments: str, given: str = "") -> Any:
        command = ["entraloginctl", "--json", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return None

    def ask(self, url: str, body: object = None, **headers: str) -> Answer:
        """Metadata without a proxy, everything else with TLS and the environment's or the setting's proxy."""
        proxy = self.settings.get("Azure.Proxy")
        proxies = {} if url.startswith("http://") else {"https": proxy} if proxy else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies),
                                             urllib.request.HTTPSHandler(context=self.context))
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {name.replace("_", "-"): text for name, text in headers.items()})
        try:
            with opener.open(request, timeout=20) as reply:
                return Answer(reply.status, reply.read(1 << 20), {n.lower(): v for n, v in reply.headers.items()})
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(1 << 16), {n.lower(): v for n, v in error.headers.items()})
        except (OSError, ValueError) as error:
            return Answer(0, str(error).encode())

    def metadata(self, path: str) -> Answer:
        return self.ask((ARC if self.arc else METADATA) + path, Metadata="true")

    def learn(self) -> None:
        found = self.metadata("/metadata/instance/compute?api-version=2019-06-01")
        if found.status != 200:
            self.arc = True
            found = self.metadata("/metadata/instance?api-version=2020-06-01")
        document = found.json() or {}
        self.compute = document.get("compute", document)
        status = self.tool("status") or {}
        self.tenant = ((status.get("machine") or {}).get("tenant")) or ""
        for label in ("subscriptionId", "resourceGroupName", "name", "vmId", "vmScaleSetName"):
            self.report.hide(self.compute.get(label), label)
        self.report.hide(self.tenant, "tenant")
        cloud = CLOUDS.get(str(self.compute.get("azEnvironment", "")).lower(), ("", "", ""))
        keys = ("Azure.LoginEndpoint", "Azure.PolicyEndpoint", "Azure.ResourceManagerEndpoint")
        self.login, self.role_service, self.resource_manager = (
            self.settings.get(key) or default for key, default in zip(keys, cloud, strict=True))

    def token(self, audience: str) -> str:
        if self.arc:
            return ""  # needs the agent's challenge: entralogin's own answers say enough
        query = f"api-version=2018-02-01&resource={quote(audience, safe='')}"
        found = self.metadata(f"/metadata/identity/oauth2/token?{query}")
        return str((found.json() or {}).get("access_token", ""))
