# SPDX-License-Identifier: Apache-2.0
"""ARM's resources of the machine and its network: `az ssh vm -g GROUP -n NAME` reads these before it connects."""

from __future__ import annotations

import re
from typing import Any

from . import contoso

_NETWORK = f"{contoso.RESOURCE_GROUP}/providers/Microsoft.Network"
_INTERFACE = f"{_NETWORK}/networkInterfaces/{contoso.MACHINE_NAME}"
_ADDRESS = f"{_NETWORK}/publicIPAddresses/{contoso.MACHINE_NAME}"
_LISTING = f"{contoso.RESOURCE_GROUP}/resources"
_NAMED = re.compile(r"^name eq '([^']+)'$")
_VM = "Microsoft.Compute/virtualMachines"


def found(path: str, query: dict[str, str]) -> tuple[str, str, dict[str, Any]] | None:
    """The resource's id, its type and its description; None for any other path. The machine's address is 127.0.0.1, because
    the testbed runs everything on one host."""
    match path.lower():
        case p if p == _LISTING.lower():
            named = _NAMED.match(query.get("$filter", ""))
            matches = named is not None and named[1].lower() == contoso.MACHINE_NAME
            listed = [_resource(contoso.MACHINE, _VM)] if matches else []
            return contoso.MACHINE, _VM, {"value": listed}
        case p if p == contoso.MACHINE.lower():
            return contoso.MACHINE, _VM, _resource(contoso.MACHINE, _VM) | {"properties": {
                "storageProfile": {"osDisk": {"osType": "Linux"}},
                "networkProfile": {"networkInterfaces": [{"id": _INTERFACE}]}}}
        case p if p == _INTERFACE.lower():
            kind = "Microsoft.Network/networkInterfaces"
            configuration = {"name": "ipconfig1", "properties": {
                "privateIPAddress": "127.0.0.1", "publicIPAddress": {"id": _ADDRESS}}}
            return _INTERFACE, kind, _resource(_INTERFACE, kind) | {"properties": {"ipConfigurations": [configuration]}}
        case p if p == _ADDRESS.lower():
            kind = "Microsoft.Network/publicIPAddresses"
            return _ADDRESS, kind, _resource(_ADDRESS, kind) | {"properties": {"ipAddress": "127.0.0.1"}}
    return None


def _resource(identity: str, kind: str) -> dict[str, Any]:
    return {"id": identity, "name": contoso.MACHINE_NAME, "type": kind, "location": "westeurope"}
