# SPDX-License-Identifier: Apache-2.0
"""Microsoft Graph: whether an account is enabled, and which of the listed groups it is in (azure.md, "Microsoft Graph")."""

from __future__ import annotations

import re

from .azure import SimulatedAzure
from .contoso import MACHINE_IDENTITY
from .directory import Kind
from .server import Reply, Request
from .tokens import TokenRefused

_GROUPS = re.compile(r"^/v1\.0/(users|servicePrincipals|directoryObjects)/([0-9a-fA-F-]{36})/checkMemberGroups$")
_OBJECT = re.compile(r"^/v1\.0/(users|servicePrincipals)/([0-9a-fA-F-]{36})$")
_MOST_GROUPS = 20  # ids in one request
# The app roles of Graph with which an application may read each kind of object: any one is enough.
_PERMISSIONS = {
    "users": {"User.Read.All", "Directory.Read.All"},
    "servicePrincipals": {"Application.Read.All", "Directory.Read.All"},
}
_MEMBERS = {"GroupMember.Read.All", "Directory.Read.All"}  # in addition to one of those above


class Graph:
    def __init__(self, azure: SimulatedAzure) -> None:
        self._azure = azure

    def endpoint(self, request: Request) -> str:
        return "graph"

    def answer(self, request: Request) -> Reply:
        try:
            if self._azure.faults.take("expired-token", "graph"):
                raise TokenRefused("Lifetime validation failed, the token is expired.")
            cloud = self._azure.asked_cloud(request)
            caller = self._azure.tokens.claims(request.headers.get("authorization", ""), cloud.graph_audiences,
                                               self._azure.now(), cloud.name)
        except TokenRefused as refused:
            return _error(401, "InvalidAuthenticationToken", str(refused))
        if (asked := _GROUPS.match(request.path)) is not None:
            return self._groups(caller["oid"], asked[2].lower(), request)
        found = _OBJECT.match(request.path)
        if found is None:
            return _error(400, "BadRequest", f"Resource not found for the segment '{request.path}'.")
        if request.method != "GET":
            return _error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        kind, wanted = found[1], found[2].lower()
        held = self._azure.graph_permissions if caller["oid"] == MACHINE_IDENTITY.object_id else frozenset()
        if not held & _PERMISSIONS[kind]:
            return _error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        return self._account(kind, wanted, request.query.get("$select", "id").split(","))

    def _groups(self, caller: str, wanted: str, request: Request) -> Reply:
        """Those of the listed groups of which the object is a member, directly or through other groups."""
        if request.method != "POST":
            return _error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        held = self._azure.graph_permissions if caller == MACHINE_IDENTITY.object_id else frozenset()
        directory = self._azure.directory
        person = directory.by_object_id(wanted)
        kind = "users" if person is None or person.kind in (Kind.USER, Kind.GUEST) else "servicePrincipals"
        # It is not known whether GroupMember.Read.All alone is enough in Azure (azure.md): here it is not.
        if not held & _MEMBERS or not held & _PERMISSIONS[kind]:
            return _error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        listed = [group.lower() for group in request.json()["groupIds"]]
        if not 0 < len(listed) <= _MOST_GROUPS:
            return _error(400, "Request_BadRequest", f"The number of ids must be 1 to {_MOST_GROUPS}.")
        if person is None or wanted in directory.deleted:
            return _error(404, "Request_ResourceNotFound", f"Resource '{wanted}' does not exist.")
        memberships = directory.identities(wanted, expand_groups=True) - {wanted}
        members = [group for group in listed if group in memberships]
        if self._azure.faults.take("other-object", "graph"):
            members.append(MACHINE_IDENTITY.object_id)
        return Reply.json({"@odata.context": "https://graph/v1.0/$metadata#Collection(Edm.String)", "value": members})

    def _account(self, kind: str, wanted: str, fields: list[str]) -> Reply:
        directory = self._azure.directory
        person = directory.by_object_id(wanted)
        is_user = person is not None and person.kind in (Kind.USER, Kind.GUEST)
        if person is None or wanted in directory.deleted or is_user != (kind == "users"):
            return _error(404, "Request_ResourceNotFound", f"Resource '{wanted}' does not exist or one of its queried "
                          "reference-property objects are not present.")
        if self._azure.faults.take("other-object", "graph"):
            wanted = MACHINE_IDENTITY.object_id
        said = {"id": wanted, "accountEnabled": wanted not in directory.disabled, "displayName": person.display_name}
        return Reply.json({"@odata.context": f"https://{self._azure.cloud.graph}/v1.0/$metadata#{kind}/$entity",
                           **{name: value for name, value in said.items() if name in fields}})


def _error(status: int, code: str, message: str) -> Reply:
    return Reply.json({"error": {"code": code, "message": message, "innerError": {"date": "", "request-id": ""}}}, status)
