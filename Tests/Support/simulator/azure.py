# SPDX-License-Identifier: Apache-2.0
"""What all endpoints share: the machine, the directory, keys, clock, faults, tokens and log."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import contoso
from .clouds import CLOUDS, PUBLIC, Cloud, cloud_of
from .directory import Directory
from .faults import Faults
from .requestlog import RequestLog
from .signingkeys import SigningKeys
from .tls import TransportIdentity
from .tokens import Tokens

if TYPE_CHECKING:
    from .server import Request


@dataclass(frozen=True)
class Machine:
    """The virtual machine that IMDS describes."""

    resource_id: str = contoso.MACHINE
    name: str = contoso.MACHINE_NAME
    location: str = "westeurope"
    vm_id: str = "7ac41e00-0000-4000-8000-000000000001"
    arc_resource_id: str = contoso.ARC_MACHINE
    cloud: str = PUBLIC.name  # as IMDS writes it


class SimulatedAzure:
    def __init__(self, state: Path, cloud: str = "AzurePublicCloud", numbered: int = 0, keys: Path | None = None) -> None:
        """`keys` may be a folder that is kept longer than `state`, because RSA keys take a moment to make."""
        state.mkdir(parents=True, exist_ok=True)
        self.state = state
        self.directory: Directory = contoso.directory(numbered)
        self.machine = Machine(cloud=cloud)
        self.tenants_cloud: Cloud | None = None  # if it is not the machine's cloud
        self.group_hints: frozenset[str] = frozenset()  # the access.HINTS that checkaccess honours; perhaps Azure honours none
        self.graph_permissions: frozenset[str] = frozenset()  # Graph's app roles that the machine's identity holds
        self.faults = Faults()
        self.log = RequestLog(state / "requests.jsonl")
        self.transport = TransportIdentity(state / "tls")
        self._keys_folder = keys or state / "keys"
        self._keys: dict[str, SigningKeys] = {}
        self._keys_lock = threading.Lock()
        assert self.keys_of(PUBLIC).stranger  # made now: tests outside this process sign with it
        self.tokens = Tokens()

    @property
    def cloud(self) -> Cloud:
        """The machine's cloud."""
        return CLOUDS[self.machine.cloud.lower()]

    @property
    def keys(self) -> SigningKeys:
        return self.keys_of(self.cloud)

    def keys_of(self, cloud: Cloud) -> SigningKeys:
        """The keys of a cloud: in each cloud, Entra signs with different keys."""
        with self._keys_lock:
            if cloud.name not in self._keys:
                folder = self._keys_folder if cloud is PUBLIC else self._keys_folder / cloud.name.lower()
                self._keys[cloud.name] = SigningKeys(folder)
            return self._keys[cloud.name]

    def asked_cloud(self, request: Request) -> Cloud:
        """The cloud to which the Host header belongs; the machine's cloud if that name is of none."""
        return cloud_of(request.headers.get("host", "")) or self.cloud

    def change_machine(self, **changes: Any) -> None:
        self.machine = replace(self.machine, **changes)
        self.directory.resources |= {self.machine.resource_id, self.machine.arc_resource_id}

    def now(self) -> float:
        """Azure's clock."""
        return time.time() + (self.faults.value("clock-skew", 600) or 0)
