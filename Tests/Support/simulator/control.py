# SPDX-License-Identifier: Apache-2.0
"""The control endpoint, on loopback: faults, roles, the request log."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from . import contoso
from .access import HINTS
from .azure import SimulatedAzure
from .clouds import CLOUDS
from .directory import RoleDefinition
from .entra import Entra
from .himds import ArcMetadata
from .server import Reply, Request


class Control:
    """Verbs take a JSON object by POST; every answer is JSON.

    /fault {name, endpoint, value, times}   /clear {name, endpoint}   /faults   /keys {action: rotate|retire|restore}
    /assign and /withdraw {who, role, scope, deny, condition}   /rename {who, object_id, sign_in_name}
    /join and /leave {who, group}: membership, of a person or of a group
    /groups {hints}: which of access.HINTS make checkaccess expand groups   /disable {who, seen_by_pas} and /enable {who}
    /delete and /restore {who}: the account   /graph {permissions}: Graph's app roles of the machine's identity
    /approve {user_code, who}   /decline {user_code}   /requests {endpoint}   /forget   /tokens
    /role {name, data_actions, not_data_actions}
    /machine {fields of Machine, tenants_cloud}: returns the former values   /arc {folder}: where the key files go
    /switch {name: imds|himds, up}: starts or stops its listener
    """

    def __init__(self, azure: SimulatedAzure, entra: Entra, arc: ArcMetadata,
                 switch: Callable[[str, bool], None]) -> None:
        self._azure = azure
        self._entra = entra
        self._arc = arc
        self._switch = switch

    def endpoint(self, request: Request) -> str:
        return "control"

    def answer(self, request: Request) -> Reply:
        asked = request.json() if request.body else {}
        azure = self._azure
        match request.path:
            case "/fault":
                azure.faults.set(asked["name"], asked.get("endpoint", "*"), asked.get("value"), asked.get("times"))
            case "/clear":
                azure.faults.clear(asked.get("name"), asked.get("endpoint"))
            case "/faults":
                return Reply.json(azure.faults.listing())
            case "/keys" if asked["action"] == "rotate":
                azure.keys.rotate()
            case "/keys" if asked["action"] == "retire":
                azure.keys.retire_old()
            case "/keys" if asked["action"] == "restore":
                azure.keys.restore()
            case "/machine":
                tenants = asked.pop("tenants_cloud", None)
                azure.tenants_cloud = CLOUDS[tenants.lower()] if tenants else None
                before = vars(azure.machine).copy()
                azure.change_machine(**asked)
                return Reply.json(before)
            case "/role":
                lists = {n: tuple(asked[n]) for n in ("data_actions", "not_data_actions") if n in asked}
                azure.directory.define(RoleDefinition(str(uuid.uuid4()), asked["name"], **lists))
            case "/switch":
                self._switch(asked["name"], asked["up"])
            case "/arc":
                self._arc.folder = Path(asked["folder"])
            case "/assign":
                azure.directory.assign(self._principal(asked["who"]), asked["role"], _scope(asked.get("scope")),
                                       asked.get("deny", False), asked.get("condition"))
            case "/withdraw":
                scope = _scope(asked["scope"]) if "scope" in asked else None
                gone = azure.directory.withdraw(self._principal(asked["who"]), asked.get("role"), scope)
                return Reply.json({"withdrawn": gone})
            case "/groups":
                azure.group_hints = frozenset(hint for hint in HINTS if hint in asked["hints"])
            case "/join" | "/leave":
                azure.directory.move(self._principal(asked["who"]), asked["group"], request.path == "/join")
            case "/disable":
                azure.directory.disabled.add(self._principal(asked["who"]))
                if not asked.get("seen_by_pas", True):
                    azure.directory.unseen.add(self._principal(asked["who"]))
            case "/enable":
                azure.directory.disabled.discard(self._principal(asked["who"]))
                azure.directory.unseen.discard(self._principal(asked["who"]))
            case "/delete":
                azure.directory.deleted.add(self._principal(asked["who"]))
            case "/restore":
                azure.directory.deleted.discard(self._principal(asked["who"]))
            case "/graph":
                azure.graph_permissions = frozenset(asked["permissions"])
            case "/rename":
                azure.directory.rename(asked.pop("who"), **asked)
            case "/approve":
                self._entra.approve(asked["user_code"], asked["who"])
            case "/decline":
                self._entra.decline(asked["user_code"])
            case "/requests":
                return Reply.json(azure.log.entries(asked.get("endpoint")))
            case "/tokens":
                return Reply.json(azure.tokens.issued)
            case "/forget":
                azure.log.clear()
            case _:
                return Reply.json({"error": f"no verb {request.path}"}, 404)
        return Reply.json({"done": True})

    def _principal(self, who: str) -> str:
        """The object id of the person with this key or of the group with this name; otherwise `who`, as an object id."""
        directory = self._azure.directory
        if who in directory.principals:
            return directory.principals[who].object_id
        return next((g.object_id for g in directory.groups if g.name == who), who)


def _scope(name: str | None) -> str:
    return contoso.SCOPES.get(name or "machine", name or "")
