# SPDX-License-Identifier: Apache-2.0
"""PAS and ARM: checkaccess; ARM's role assignments, deny assignments and role definitions (azure.md, "The role check");
the list of subscriptions, which `az login` reads; and the resources that `az ssh vm` reads."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

from . import resources
from .azure import SimulatedAzure
from .directory import Assignment, Decision, RoleDefinition
from .server import Reply, Request
from .tokens import TokenRefused

_PROVIDER = "/providers/Microsoft.Authorization/"
_ASSIGNED_TO = re.compile(r"^assignedTo\('([0-9a-fA-F-]{36})'\)$")
# The right that ARM requires of the caller for each operation.
_RIGHTS = {"checkaccess": "checkAccess", "roleassignments": "roleAssignments", "denyassignments": "denyAssignments",
           "roledefinitions": "roleDefinitions"}
# The hints by which a client asks checkaccess to count the subject's groups. For each: the attribute and its value.
HINTS = {"retrieve": ("xms-pasrp-retrievegroupmemberships", True), "claims": ("_claim_names", '{"groups":"src1"}')}


class AccessService:
    """`name` is `pas` or `arm`. They differ in the audience, in the rights that the caller needs, and in what they serve."""

    def __init__(self, azure: SimulatedAzure, name: str) -> None:
        self._azure = azure
        self._name = name

    def endpoint(self, request: Request) -> str:
        return self._name

    def answer(self, request: Request) -> Reply:
        scope, found, operation = _divide(request.path)
        listing = self._name == "arm" and (request.method, request.path) == ("GET", "/subscriptions")
        resource = resources.found(request.path, request.query) if self._name == "arm" else None
        if not found and not listing and resource is None:
            return _error(404, "NotFound", f"No such path: {request.path}")
        try:
            if self._azure.faults.take("expired-token", self._name):
                raise TokenRefused("The access token has expired.")
            cloud = self._azure.asked_cloud(request)
            audiences = cloud.pas_audiences if self._name == "pas" else cloud.arm_audiences
            caller = self._azure.tokens.claims(request.headers.get("authorization", ""), audiences,
                                               self._azure.now(), cloud.name)
        except TokenRefused as refused:
            reply = _error(401, "InvalidAuthenticationToken", str(refused))
            reply.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return reply
        if listing:
            return self._subscriptions(caller["oid"])
        if resource is not None:
            return self._resource(caller["oid"], *resource)
        if self._name == "arm" and not self._may_read(caller["oid"], scope, operation):
            return _error(403, "AuthorizationFailed", f"The client '{caller['oid']}' does not have authorization to "
                          f"perform action '{_right(operation)}' over scope '{scope}'.")
        match request.method, operation.lower():
            case "POST", "checkaccess":
                return self._check_access(request, scope)
            case "GET", "roleassignments" | "denyassignments" if self._name == "arm":
                return self._assignments(request, scope, denied=operation.lower().startswith("deny"))
            case "GET", other if self._name == "arm" and other.startswith("roledefinitions"):
                return self._definitions(operation)
        return _error(405 if found else 404, "MethodNotAllowed", f"{request.method} is not served here")

    def _resource(self, object_id: str, identity: str, kind: str, said: dict[str, Any]) -> Reply:
        """Serves a resource to an identity that has the right to read it."""
        if not self._azure.directory.decide(object_id, True, f"{kind}/read", False, identity).allowed:
            return _error(403, "AuthorizationFailed", f"The client '{object_id}' does not have authorization to perform "
                          f"action '{kind}/read' over scope '{identity}'.")
        return Reply.json(said)

    def _may_read(self, object_id: str, scope: str, operation: str) -> bool:
        if operation.lower().startswith("roledefinitions"):
            # The path to role definitions names a subscription or no scope; a caller with the right at the machine may read.
            scope = self._azure.machine.resource_id
        return self._azure.directory.decide(object_id, True, _right(operation), False, scope).allowed

    def _subscriptions(self, object_id: str) -> Reply:
        directory = self._azure.directory
        return Reply.json({"value": [
            {"id": s, "subscriptionId": s.rpartition("/")[2], "displayName": "contoso", "state": "Enabled",
             "tenantId": directory.tenant_id} for s in directory.subscriptions_of(object_id)
        ]})

    def _check_access(self, request: Request, scope: str) -> Reply:
        if request.query.get("api-version") != "2018-09-01-preview":
            return _error(400, "InvalidApiVersionParameter", "The api-version is invalid.")
        question = request.json()
        attributes, resource = question["Subject"]["Attributes"], question["Resource"]["Id"]
        if resource.lower() != scope.lower():
            return _error(400, "BadRequest", "The resource of the body is not the resource of the path.")
        if resource.lower() not in {r.lower() for r in self._azure.directory.resources}:
            return _error(404, "ResourceNotFound", f"The Resource '{resource}' was not found.")
        honoured = [HINTS[hint] for hint in self._azure.group_hints]
        expand = any(attributes.get(name) == value for name, value in honoured)
        answers = [self._verdict(attributes["ObjectId"], expand, a, resource) for a in question["Actions"]]
        faults = self._azure.faults
        if faults.take("says-no", self._name):
            answers = [a | {"accessDecision": "NotAllowed", "roleAssignment": None} for a in answers]
        if faults.take("one-action", self._name):
            answers = answers[:1]
        if faults.take("twice-action", self._name):
            answers = [answers[0], *answers]
        return Reply.json(answers, x_ms_request_id=request.headers.get("x-ms-correlation-request-id", ""))

    def _verdict(self, object_id: str, expand: bool, action: dict[str, Any], resource: str) -> dict[str, Any]:
        decision = self._azure.directory.decide(object_id, expand, action["Id"], action.get("IsDataAction") is True,
                                                resource)
        if self._name == "pas" and object_id.lower() in self._azure.directory.disabled - self._azure.directory.unseen:
            decision = Decision(False)
        lifetime = self._azure.faults.value("time-to-live", 300_000, self._name)
        return {
            "actionId": action["Id"], "isDataAction": action.get("IsDataAction") is True,
            "accessDecision": "Allowed" if decision.allowed else "NotAllowed",
            "roleAssignment": decision.assignment and self._entry(decision.assignment)["properties"],
            "denyAssignment": decision.denial and self._entry(decision.denial)["properties"],
            "timeToLiveInMs": int(300_000 if lifetime is None else lifetime),
        }

    def _assignments(self, request: Request, scope: str, denied: bool) -> Reply:
        asked = request.query.get("$filter", "")
        matched = _ASSIGNED_TO.match(asked)
        if matched is None and asked != "atScope()":
            return _error(400, "InvalidFilter", "The filter is not supported: use assignedTo('<object id>').")
        table = self._azure.directory.assigned_to(matched[1].lower() if matched else None, scope, denied)
        entries = [self._denial(a) if denied else self._entry(a) for a in table]
        size = int(self._azure.faults.value("pages", 1, self._name) or len(entries) + 1)
        start = int(request.query.get("$skipToken", "0"))
        page: dict[str, Any] = {"value": entries[start:start + size]}
        if start + size < len(entries):
            query = urlencode(request.query | {"$skipToken": str(start + size)})
            page["nextLink"] = f"https://{request.headers['host']}{quote(request.path)}?{query}"
        return Reply.json(page)

    def _entry(self, a: Assignment) -> dict[str, Any]:
        return {
            "id": f"{a.scope}{_PROVIDER}roleAssignments/{a.assignment_id}", "name": a.assignment_id,
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "roleDefinitionId": f"/subscriptions/{self._subscription}{_PROVIDER}roleDefinitions/{a.role_id}",
                "principalId": a.principal_id, "principalType": self._azure.directory.kind_of(a.principal_id),
                "scope": a.scope, "condition": a.condition,
            },
        }

    def _denial(self, a: Assignment) -> dict[str, Any]:
        return {
            "id": f"{a.scope}{_PROVIDER}denyAssignments/{a.assignment_id}", "name": a.assignment_id,
            "properties": {
                "permissions": [_permissions(self._azure.directory.roles[a.role_id])], "scope": a.scope,
                "principals": [{"id": a.principal_id}], "excludePrincipals": [], "condition": a.condition,
            },
        }

    def _definitions(self, operation: str) -> Reply:
        _, _, wanted = operation.partition("/")
        roles = self._azure.directory.roles
        if wanted and wanted not in roles:
            return _error(404, "RoleDefinitionDoesNotExist", f"The role definition '{wanted}' does not exist.")
        entries = [self._definition(r) for r in ([roles[wanted]] if wanted else roles.values())]
        return Reply.json(entries[0] if wanted else {"value": entries})

    def _definition(self, role: RoleDefinition) -> dict[str, Any]:
        return {
            "id": f"/subscriptions/{self._subscription}{_PROVIDER}roleDefinitions/{role.role_id}",
            "name": role.role_id, "type": "Microsoft.Authorization/roleDefinitions",
            "properties": {"roleName": role.name, "permissions": [_permissions(role)]},
        }

    @property
    def _subscription(self) -> str:
        return self._azure.machine.resource_id.split("/")[2]


def _permissions(role: RoleDefinition) -> dict[str, list[str]]:
    return {"actions": list(role.actions), "notActions": list(role.not_actions),
            "dataActions": list(role.data_actions), "notDataActions": list(role.not_data_actions)}


def _right(operation: str) -> str:
    return f"Microsoft.Authorization/{_RIGHTS.get(operation.lower().partition('/')[0], 'none')}/read"


def _divide(path: str) -> tuple[str, bool, str]:
    """Divides at the last provider segment of Microsoft.Authorization: the scope, whether there is one, and the operation."""
    at = path.lower().rfind(_PROVIDER.lower())
    return (path, False, "") if at < 0 else (path[:at], True, path[at + len(_PROVIDER):])


def _error(status: int, code: str, message: str) -> Reply:
    return Reply.json({"error": {"code": code, "message": message}}, status)
