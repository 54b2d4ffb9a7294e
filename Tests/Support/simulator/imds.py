# SPDX-License-Identifier: Apache-2.0
"""Instance metadata and managed-identity tokens (azure.md, "Instance metadata")."""

from __future__ import annotations

import re
import time

from .azure import SimulatedAzure
from .contoso import AGENT_IDENTITY, MACHINE_IDENTITY
from .metadatalimits import MetadataLimits
from .server import Reply, Request

_VERSION = re.compile(r"^20\d\d-\d\d-\d\d$")
_TOKEN = "/metadata/identity/oauth2/token"


class InstanceMetadata:
    def __init__(self, azure: SimulatedAzure) -> None:
        self._azure = azure
        self._limits = MetadataLimits()

    def endpoint(self, request: Request) -> str:
        return "token" if request.path == _TOKEN else "imds"

    def answer(self, request: Request) -> Reply:
        milliseconds = self._azure.faults.value("metadata-limits", 0, "imds")
        if milliseconds is None:
            return self._served(request)
        with self._limits.entered(request.path.startswith("/metadata/identity/")) as within:
            if not within:
                return Reply.json({"error": "Too many requests"}, 429)
            time.sleep(milliseconds / 1000)
            return self._served(request)

    def _served(self, request: Request) -> Reply:
        if request.headers.get("metadata", "").lower() != "true":
            return _refusal("Bad request. Required metadata header not specified")
        if "x-forwarded-for" in request.headers:
            return _refusal("Bad request. X-Forwarded-For is not allowed")
        if request.method != "GET":
            return Reply.json({"error": "Method not allowed"}, 405, Allow="GET")
        if not _VERSION.match(request.query.get("api-version", "")):
            return _refusal("Bad request. api-version is invalid or was not specified in the request.")
        match request.path.rstrip("/"):
            case "/metadata/instance":
                return Reply.json({"compute": compute(self._azure), "network": {"interface": []}})
            case "/metadata/instance/compute":
                return Reply.json(compute(self._azure))
            case "/metadata/identity/info":
                return Reply.json({"tenantId": self._azure.directory.tenant_id})
            case "/metadata/login/ca_keys":
                return Reply.json(self._azure.keys.lines())
            case path if path == _TOKEN:
                return identity_token(self._azure, request)
        return Reply.json({"error": "Not found"}, 404)


def compute(azure: SimulatedAzure, resource_id: str | None = None) -> dict[str, object]:
    resource = resource_id or azure.machine.resource_id
    parts = resource.split("/")
    scale_set = parts[8] if len(parts) > 9 else ""
    return {
        "azEnvironment": azure.machine.cloud, "location": azure.machine.location, "name": azure.machine.name,
        "osType": "Linux", "resourceGroupName": parts[4], "resourceId": resource, "subscriptionId": parts[2],
        "tags": "stage:test", "tagsList": [{"name": "stage", "value": "test"}], "vmId": azure.machine.vm_id,
        "vmScaleSetName": scale_set,
    }


def identity_token(azure: SimulatedAzure, request: Request) -> Reply:
    resource = request.query.get("resource", "")
    wanted = request.query.get("client_id", "")
    identity = {"": MACHINE_IDENTITY, AGENT_IDENTITY.client_id: AGENT_IDENTITY}.get(wanted)
    if identity is None or (not wanted and azure.faults.take("no-identity", "token")):
        return _oauth_error("invalid_request", "Identity not found")
    known = azure.cloud.pas_audiences | azure.cloud.arm_audiences | azure.cloud.graph_audiences
    missing = resource in azure.cloud.pas_audiences and azure.faults.take("missing-application", "token")
    if resource not in known or missing:
        return _oauth_error("invalid_resource", f"AADSTS500011: The resource principal named {resource} was not found "
                            f"in the tenant named {azure.directory.tenant_id}.")
    lifetime = int(azure.faults.value("token-lifetime", 60, "token") or 86_400)
    now = int(azure.now())
    token = azure.tokens.issue(resource, identity.object_id, azure.directory.tenant_id,
                               f"https://sts.windows.net/{azure.directory.tenant_id}/", now, lifetime, azure.cloud.name)
    return Reply.json({
        "access_token": token, "client_id": wanted or "c11e0000-0000-4000-8000-000000000001", "expires_in": str(lifetime),
        "expires_on": str(now + lifetime), "ext_expires_in": str(lifetime), "not_before": str(now - 300),
        "resource": resource, "token_type": "Bearer",
    })


def _refusal(text: str) -> Reply:
    return Reply.json({"error": text}, 400)


def _oauth_error(code: str, text: str) -> Reply:
    return Reply.json({"error": code, "error_description": text}, 400)
