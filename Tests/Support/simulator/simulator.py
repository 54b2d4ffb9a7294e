# SPDX-License-Identifier: Apache-2.0
"""The composition: a simulated Azure, and a listener for each of its hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .access import AccessService
from .azure import SimulatedAzure
from .client import CONTROL_PORT
from .clouds import HOST_NAMES, role_of
from .control import Control
from .entra import Entra
from .graph import Graph
from .himds import ArcMetadata
from .imds import InstanceMetadata
from .nameserver import NameServer
from .proxy import Proxy
from .server import Listener, Reply, Request, Service

Address = tuple[str, int]


@dataclass(frozen=True)
class Addresses:
    """The addresses to listen on. The defaults are for the testbed, where the names of Azure's hosts resolve to them."""

    imds: Address = ("169.254.169.254", 80)
    entra: Address = ("127.20.0.1", 443)
    pas: Address = ("127.20.0.2", 443)
    arm: Address = ("127.20.0.3", 443)
    graph: Address = ("127.20.0.4", 443)
    himds: Address = ("127.0.0.1", 40342)
    control: Address = ("127.0.0.1", CONTROL_PORT)
    six: Address = ("::1", 443)  # every host, told apart by its name
    nameserver: Address = ("127.20.0.53", 53)
    proxy: Address = ("127.20.0.8", 3128)
    proxy_with_credentials: Address = ("127.20.0.8", 3129)
    secure_proxy: Address = ("127.20.0.8", 3130)
    secure_proxy_with_credentials: Address = ("127.20.0.8", 3131)

    @staticmethod
    def anywhere() -> Addresses:
        """Free ports on loopback, for tests outside the testbed."""
        return Addresses(*[("127.0.0.1", 0)] * 13)


class EveryHost:
    """All hosts of Azure at one address, told apart by the Host header."""

    def __init__(self, services: dict[str, Service]) -> None:
        self._services = services

    def _service(self, request: Request) -> Service:
        return self._services[role_of(request.headers.get("host", "")) or "entra"]

    def endpoint(self, request: Request) -> str:
        return self._service(request).endpoint(request)

    def answer(self, request: Request) -> Reply:
        return self._service(request).answer(request)


class Simulator:
    def __init__(self, azure: SimulatedAzure, addresses: Addresses, arc_tokens: Path | None = None) -> None:
        self.azure = azure
        tls = azure.transport.context
        entra = Entra(azure)
        arc = ArcMetadata(azure, arc_tokens or azure.state / "arc-tokens")
        hosts: dict[str, Service] = {
            "entra": entra, "pas": AccessService(azure, "pas"), "arm": AccessService(azure, "arm"),
            "graph": Graph(azure),
        }
        self._makers: dict[str, Callable[[], Listener]] = {
            "imds": lambda: Listener(addresses.imds, InstanceMetadata(azure), azure, None),
            "himds": lambda: Listener(addresses.himds, arc, azure, None),
        }
        self.listeners: dict[str, Listener | NameServer | Proxy] = {
            **{name: make() for name, make in self._makers.items()},
            **{role: Listener(getattr(addresses, role), service, azure, tls) for role, service in hosts.items()},
            "control": Listener(addresses.control, Control(azure, entra, arc, self.switch), azure, None),
            "six": Listener(addresses.six, EveryHost(hosts), azure, tls),
        }
        places = {role: self._place(role) for role in HOST_NAMES}
        names = {name: places[role] for role, of_role in HOST_NAMES.items() for name in of_role}
        self.listeners["nameserver"] = NameServer(addresses.nameserver, azure, {n: a for n, (a, _) in names.items()})
        for name, with_tls, closed in (
            ("proxy", False, False), ("proxy_with_credentials", False, True),
            ("secure_proxy", True, False), ("secure_proxy_with_credentials", True, True),
        ):
            self.listeners[name] = Proxy(getattr(addresses, name), azure, names.get, tls if with_tls else None, closed)

    def switch(self, name: str, up: bool) -> None:
        """Starts or stops the listener of imds or himds: a metadata service that does not run is simulated this way."""
        if up:
            self.listeners[name] = self._makers[name]()
            self.listeners[name].start()
        else:
            self.listeners[name].shutdown()
            self.listeners[name].server_close()

    def _place(self, role: str) -> Address:
        listener = self.listeners[role]
        assert isinstance(listener, Listener)
        return str(listener.server_address[0]), listener.port

    def start(self) -> None:
        for listener in self.listeners.values():
            listener.start()

    def stop(self) -> None:
        for listener in self.listeners.values():
            listener.shutdown()
            listener.server_close()

    def ports(self) -> dict[str, int]:
        return {name: listener.port for name, listener in self.listeners.items()}
