# SPDX-License-Identifier: Apache-2.0
"""The control endpoint, on loopback: faults, roles, the request log."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from . import contoso
from .access import HINTS
from .clouds import CLOUDS
from .directory import RoleDefinition
from .entra import Entra
from .himds import ArcMetadata
from .server import Reply, Request
from .world import World


class Control:
    """Verbs take a JSON object by POST; every answer is JSON.

    /fault {name, endpoint, value, times}   /clear {name, endpoint}   /faults   /keys {action: rotate|retire|restore}
    /assign and /withdraw {who, role, scope, deny, condition}   /rename {who, object_id, sign_in_name}
    /join and /leave {who, group}: membership, of a person or of a group
    /groups {hints}: which of access.HINTS make checkaccess expand groups   /disable {who, seen_by_pas} and /enable {who}
    /delete and /restore {who}: the account; /graph {permissions}: what the machine's identity holds
    /approve {user_code, who}   /decline {user_code}   /requests {endpoint}   /forget   /tokens
    /role {name, data_actions, not_data_actions}
    /machine {fields of Machine, tenants_cloud}: answers the former values   /arc {folder}: where the key files go
    /switch {name: imds|himds, up}: whether it listens at all
    """

    def __init__(self, world: World, entra: Entra, arc: ArcMetadata,
                 switch: Callable[[str, bool], None]) -> None:
        self._world = world
        self._entra = entra
        self._arc = arc
        self._switch = switch

    def endpoint(self, request: Request) -> str:
        return "control"

    def answer(self, request: Request) -> Reply:
        asked = request.json() if request.body else {}
        world = self._world
        match request.path:
            case "/fault":
                world.faults.set(asked["name"], asked.get("endpoint", "*"), asked.get("value"), asked.get("times"))
            case "/clear":
                world.faults.clear(asked.get("name"), asked.get("endpoint"))
            case "/faults":
                return Reply.json(world.faults.listing())
            case "/keys" if asked["action"] == "rotate":
                world.keys.rotate()
            case "/keys" if asked["action"] == "retire":
                world.keys.retire_old()
            case "/keys" if asked["action"] == "restore":
                world.keys.restore()
            case "/machine":
                tenants = asked.pop("tenants_cloud", None)
                world.tenants_cloud = CLOUDS[tenants.lower()] if tenants else None
                before = vars(world.machine).copy()
                world.change_machine(**asked)
                return Reply.json(before)
            case "/role":
                lists = {n: tuple(asked[n]) for n in ("data_actions", "not_data_actions") if n in asked}
                world.directory.define(RoleDefinition(str(uuid.uuid4()), asked["name"], **lists))
            case "/switch":
                self._switch(asked["name"], asked["up"])
            case "/arc":
                self._arc.folder = Path(asked["folder"])
            case "/assign":
                world.directory.assign(self._principal(asked["who"]), asked["role"], _scope(asked.get("scope")),
                                       asked.get("deny", False), asked.get("condition"))
            case "/withdraw":
                scope = _scope(asked["scope"]) if "scope" in asked else None
                gone = world.directory.withdraw(self._principal(asked["who"]), asked.get("role"), scope)
                return Reply.json({"withdrawn": gone})
            case "/groups":
                world.group_hints = frozenset(hint for hint in HINTS if hint in asked["hints"])
            case "/join" | "/leave":
                world.directory.move(self._principal(asked["who"]), asked["group"], request.path == "/join")
            case "/disable":
                world.directory.disabled.add(self._principal(asked["who"]))
                if not asked.get("seen_by_pas", True):
                    world.directory.unseen.add(self._principal(asked["who"]))
            case "/enable":
                world.directory.disabled.discard(self._principal(asked["who"]))
                world.directory.unseen.discard(self._principal(asked["who"]))
            case "/delete":
                world.directory.deleted.add(self._principal(asked["who"]))
            case "/restore":
                world.directory.deleted.discard(self._principal(asked["who"]))
            case "/graph":
                world.graph_permissions = frozenset(asked["permissions"])
            case "/rename":
                world.directory.rename(asked.pop("who"), **asked)
            case "/approve":
                self._entra.approve(asked["user_code"], asked["who"])
            case "/decline":
                self._entra.decline(asked["user_code"])
            case "/requests":
                return Reply.json(world.log.entries(asked.get("endpoint")))
            case "/tokens":
                return Reply.json(world.tokens.issued)
            case "/forget":
                world.log.clear()
            case _:
                return Reply.json({"error": f"no verb {request.path}"}, 404)
        return Reply.json({"done": True})

    def _principal(self, who: str) -> str:
        """The object id of a person by key, of a group by name, or the object id as it is."""
        directory = self._world.directory
        if who in directory.principals:
            return directory.principals[who].object_id
        return next((g.object_id for g in directory.groups if g.name == who), who)


def _scope(name: str | None) -> str:
    return contoso.SCOPES.get(name or "machine", name or "")
