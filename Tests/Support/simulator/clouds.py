# SPDX-License-Identifier: Apache-2.0
"""The clouds of azure.md, "Clouds": host names, and the audiences for which clients request tokens."""

from __future__ import annotations

from dataclasses import dataclass

LINUX_SIGN_IN_APPLICATION = "ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"


@dataclass(frozen=True)
class Cloud:
    name: str
    login: str
    pas: str
    arm: str
    instance: str
    graph: str
    management: str = ""  # Resource Manager's audience by its older name, for which azure-cli requests a token

    @property
    def sign_in_scope(self) -> str:
        return f"https://{self.pas}/CheckMyAccess/Linux"

    @property
    def certificate_scopes(self) -> frozenset[str]:
        """The scopes in which clients request a certificate: azure-cli's extension uses the role service's name, others the
        application's id."""
        return frozenset({f"{self.sign_in_scope}/.default", f"{LINUX_SIGN_IN_APPLICATION}/.default"})

    @property
    def pas_audiences(self) -> frozenset[str]:
        return frozenset({LINUX_SIGN_IN_APPLICATION, self.sign_in_scope})

    @property
    def graph_audiences(self) -> frozenset[str]:
        return frozenset({f"https://{self.graph}", f"https://{self.graph}/"})

    @property
    def arm_audiences(self) -> frozenset[str]:
        older = {f"https://{self.management}/"} if self.management else set()
        return frozenset({f"https://{self.arm}", f"https://{self.arm}/", *older})


CLOUDS = {
    c.name.lower(): c
    for c in (
        Cloud("AzurePublicCloud", "login.microsoftonline.com", "pas.windows.net", "management.azure.com",
              "microsoftonline.com", "graph.microsoft.com", "management.core.windows.net"),
        Cloud("AzureUSGovernmentCloud", "login.microsoftonline.us", "pasff.usgovcloudapi.net",
              "management.usgovcloudapi.net", "microsoftonline.us", "graph.microsoft.us",
              "management.core.usgovcloudapi.net"),
        Cloud("AzureChinaCloud", "login.chinacloudapi.cn", "pas.chinacloudapi.cn", "management.chinacloudapi.cn",
              "partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "management.core.chinacloudapi.cn"),
        # No client's table of clouds has this one: clients know it only from the tenant's OpenID configuration.
        Cloud("AzureFutureCloud", "login.future.example", "pas.future.example", "management.future.example",
              "future.example", "graph.future.example"),
    )
}
PUBLIC = CLOUDS["azurepubliccloud"]

HOST_NAMES = {
    "entra": tuple(c.login for c in CLOUDS.values()),
    "pas": tuple(c.pas for c in CLOUDS.values()),
    "arm": tuple(c.arm for c in CLOUDS.values()),
    "graph": tuple(c.graph for c in CLOUDS.values()),
}


def cloud_of(host: str) -> Cloud | None:
    """The cloud that a Host header belongs to; None for localhost and addresses."""
    name = host.lower().partition(":")[0]
    return next((c for c in CLOUDS.values() if name in (c.login, c.pas, c.arm, c.graph)), None)


def role_of(host: str) -> str | None:
    """entra, pas, arm or graph."""
    name = host.lower().partition(":")[0]
    return next((role for role, names in HOST_NAMES.items() if name in names), None)
