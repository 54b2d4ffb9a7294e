# SPDX-License-Identifier: Apache-2.0
import base64
import json
import socket
import struct
from urllib.parse import urlencode

from simulator.clouds import CLOUDS, PUBLIC
from simulator.proxy import PASSWORD, USER

from .support import SimulatorTestCase

CONFIGURATION = "/common/v2.0/.well-known/openid-configuration"
GOVERNMENT = CLOUDS["azureusgovernmentcloud"]


class Clouds(SimulatorTestCase):
    def keys(self, host: str) -> list[str]:
        _, answer, _ = self.ask("entra", "GET", "/common/discovery/keys", Host=host)
        return [key["n"] for key in answer["keys"] if key["kty"] == "RSA"]

    def test_each_cloud_signs_with_its_own_keys(self) -> None:
        moduli = [self.keys(cloud.login)[0] for cloud in CLOUDS.values()]
        self.assertEqual(len(set(moduli)), len(CLOUDS))
        self.assertEqual(self.keys("localhost"), self.keys(PUBLIC.login))

    def test_the_configuration_is_of_the_tenants_cloud(self) -> None:
        with self.control.machine(cloud="azureUSgovernmentCLOUD"):
            for host in (PUBLIC.login, GOVERNMENT.login):
                _, answer, _ = self.ask("entra", "GET", CONFIGURATION, Host=host)
                self.assertEqual((answer["rbac_url"], answer["cloud_instance_name"]),
                                 (f"https://{GOVERNMENT.pas}", GOVERNMENT.instance))
        with self.control.fault("other-role-host", "keys"):
            _, answer, _ = self.ask("entra", "GET", CONFIGURATION)
            self.assertEqual(answer["rbac_url"], "https://pas.other.example")

    def test_a_token_of_one_cloud_is_refused_in_another(self) -> None:
        token = self.identity_token()
        path = f"{self.azure.machine.resource_id}/providers/Microsoft.Authorization/checkaccess"
        for host, status in ((PUBLIC.pas, 400), (GOVERNMENT.pas, 401)):  # 400: no api-version
            answered = self.ask("pas", "POST", path, "{}", Authorization=f"Bearer {token}", Host=host)
            self.assertEqual(answered[0], status, answered)

    def test_all_hosts_behind_one_address(self) -> None:
        for host, path, status in ((PUBLIC.login, CONFIGURATION, 200), (PUBLIC.pas, "/x", 404), (PUBLIC.arm, "/x", 404)):
            self.assertEqual(self.ask("six", "GET", path, Host=host)[0], status)


class Ways(SimulatorTestCase):
    def connect(self, name: str, *lines: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.ports[name]), 5) as proxy:
            proxy.sendall("\r\n".join([*lines, "", ""]).encode())
            return proxy.recv(4096).split(b"\r\n")[0]

    def test_a_proxy_tunnels_to_azure_and_nowhere_else(self) -> None:
        self.assertIn(b" 200 ", self.connect("proxy", f"CONNECT {PUBLIC.pas}:443 HTTP/1.1"))
        self.assertIn(b" 502 ", self.connect("proxy", "CONNECT example.org:443 HTTP/1.1"))
        self.assertIn(b" 405 ", self.connect("proxy", "GET http://169.254.169.254/ HTTP/1.1"))
        self.assertEqual([r["status"] for r in self.control.requests("proxy")], [200, 502, 405])

    def test_a_closed_proxy_wants_credentials(self) -> None:
        asked = f"CONNECT {PUBLIC.pas}:443 HTTP/1.1"
        right = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.assertIn(b" 407 ", self.connect("proxy_with_credentials", asked))
        self.assertIn(b" 407 ", self.connect("proxy_with_credentials", asked, "Proxy-Authorization: Basic eA=="))
        self.assertIn(b" 200 ", self.connect("proxy_with_credentials", asked, f"Proxy-Authorization: Basic {right}"))
        self.assertNotIn(PASSWORD, json.dumps(self.control.requests()))

    def resolve(self, name: str) -> tuple[int, bytes]:
        """The response code of the answer, and its last four bytes."""
        labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1),
                          ("127.0.0.1", self.ports["nameserver"]))
            answer = client.recv(512)
        return struct.unpack(">H", answer[2:4])[0] & 15, answer[-4:]

    def test_names_resolve_or_not(self) -> None:
        self.assertEqual(self.resolve(PUBLIC.login), (0, socket.inet_aton("127.0.0.1")))
        self.assertEqual(self.resolve("example.org")[0], 3)
        with self.control.fault("every-other", "dns"):
            self.assertEqual(sorted(self.resolve(PUBLIC.login)[0] for _ in range(2)), [0, 2])

    def test_a_metadata_service_that_is_away(self) -> None:
        path = "/metadata/identity/info?" + urlencode({"api-version": "2018-02-01"})
        self.control.post("switch", name="imds", up=False)
        with self.assertRaises(ConnectionRefusedError):
            self.ask("imds", "GET", path, Metadata="true")
        self.control.post("switch", name="imds", up=True)
        self.ports = self.simulator.ports()
        self.assertEqual(self.ask("imds", "GET", path, Metadata="true")[0], 200)
