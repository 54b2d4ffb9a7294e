# SPDX-License-Identifier: Apache-2.0
from typing import Any
from urllib.parse import quote

from simulator import contoso

from .support import SimulatorTestCase


class Resources(SimulatorTestCase):
    def read(self, path: str, who: str = "alice") -> tuple[int, Any]:
        azure = self.azure
        token = azure.tokens.issue("https://management.azure.com", azure.directory.principals[who].object_id,
                                   contoso.TENANT, f"https://sts.windows.net/{contoso.TENANT}/", int(azure.now()), 3599,
                                   azure.cloud.name)
        status, answer, _ = self.ask("arm", "GET", path, Authorization=f"Bearer {token}")
        return status, answer

    def test_the_way_from_a_group_and_a_name_to_an_address(self) -> None:
        asked = quote(f"name eq '{contoso.MACHINE_NAME}'")
        listed = self.read(f"{contoso.RESOURCE_GROUP}/resources?$filter={asked}&api-version=2022-09-01")[1]["value"]
        self.assertEqual([r["type"] for r in listed], ["Microsoft.Compute/virtualMachines"])
        machine = self.read(listed[0]["id"])[1]["properties"]
        self.assertEqual(machine["storageProfile"]["osDisk"]["osType"], "Linux")
        interface = self.read(machine["networkProfile"]["networkInterfaces"][0]["id"])[1]
        address = interface["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]["id"]
        self.assertEqual(self.read(address)[1]["properties"]["ipAddress"], "127.0.0.1")

    def test_another_name_is_not_there(self) -> None:
        self.assertEqual(self.read(f"{contoso.RESOURCE_GROUP}/resources?$filter={quote('name eq ' + repr('other'))}"),
                         (200, {"value": []}))
        self.assertEqual(self.read(f"{contoso.RESOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/other")[0], 404)

    def test_a_role_at_the_machine_reads_the_machine_and_not_its_network(self) -> None:
        self.assertEqual(self.read(contoso.MACHINE, "bob")[0], 200)
        interface = f"{contoso.RESOURCE_GROUP}/providers/Microsoft.Network/networkInterfaces/{contoso.MACHINE_NAME}"
        self.assertEqual(self.read(interface, "bob")[0], 403)
        self.assertEqual(self.read(contoso.MACHINE, "carol")[0], 403)
