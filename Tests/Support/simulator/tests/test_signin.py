# SPDX-License-Identifier: Apache-2.0
import calendar
import json
import subprocess
import time
from dataclasses import replace
from urllib.parse import urlencode

from simulator import contoso
from simulator.certificates import Template, sign
from simulator.sshkeys import from_base64url, jwk_numbers, make_key, public_line
from simulator.tls import openssl

from .support import SimulatorTestCase

SCOPE = "https://pas.windows.net/CheckMyAccess/Linux/.default"
TOKEN = f"/{contoso.TENANT}/oauth2/v2.0/token"


def shown(certificate: str) -> str:
    return subprocess.run(["ssh-keygen", "-L", "-f", "-"], input=certificate, capture_output=True, text=True,
                          check=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}).stdout


class SignIn(SimulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.key = make_key(self.azure.state / "people" / "someone")

    def token(self, **form: str) -> tuple[int, dict[str, str]]:
        fields = {"scope": SCOPE, "token_type": "ssh-cert", "key_id": "k1",
                  "req_cnf": json.dumps({**jwk_numbers(public_line(self.key)), "kid": "k1"})} | form
        status, answer, _ = self.ask("entra", "POST", TOKEN, urlencode(fields),
                                     Content_Type="application/x-www-form-urlencoded")
        return status, answer

    def certificate(self, **form: str) -> str:
        status, answer = self.token(**form)
        self.assertEqual((status, answer.get("token_type")), (200, "ssh-cert"), answer)
        return shown("ssh-rsa-cert-v01@openssh.com " + answer["access_token"])

    def test_a_refresh_token_gives_the_shape_of_the_contract(self) -> None:
        text = self.certificate(grant_type="refresh_token", refresh_token="refresh.alice")
        alice = self.azure.directory.principals["alice"]
        for line in ("Type: ssh-rsa-cert-v01@openssh.com user certificate", "(using rsa-sha2-256)", "Serial: 0",
                     f'Key ID: "{alice.object_id}@{contoso.TENANT}"', "Critical Options: (none)", "permit-user-rc"):
            self.assertIn(line, text)
        self.assertRegex(text, r"Principals: \n +alice@contoso.com\n +Critical")
        self.assertEqual(text.count("@sshservice.azure.net"), 3)

    def test_a_certificate_is_given_for_the_application_s_own_scope_too(self) -> None:
        scope = "ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0/.default"
        text = self.certificate(grant_type="refresh_token", refresh_token="refresh.alice", scope=f"{scope} openid profile")
        self.assertIn("alice@contoso.com", text)
        other = {"scope": "00000003-0000-0000-c000-000000000000/.default", "grant_type": "refresh_token"}
        self.assertEqual(self.token(refresh_token="refresh.alice", **other)[1]["error"], "invalid_scope")

    def test_a_service_principal_gets_its_object_id_as_name(self) -> None:
        svc = self.azure.directory.principals["svc"]
        text = self.certificate(grant_type="client_credentials", client_id=svc.client_id, client_secret="svc-secret")
        self.assertRegex(text, rf"Principals: \n +{svc.object_id}\n")
        self.assertEqual(self.token(grant_type="client_credentials", client_id=svc.client_id,
                                    client_secret="x")[0], 401)

    def test_a_device_code_waits_for_the_person(self) -> None:
        _, device, _ = self.ask("entra", "POST", TOKEN.replace("token", "devicecode"), urlencode({"scope": SCOPE}))
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device["device_code"]}
        self.assertEqual(self.token(**form)[1]["error"], "authorization_pending")
        self.control.post("approve", user_code=device["user_code"], who="bob")
        self.assertIn("bob@contoso.com", self.certificate(**form))

    def code(self) -> tuple[dict[str, str], dict[str, str]]:
        """A code for a client that asks who the user is, and the form that redeems it."""
        fields = {"client_id": "c11e0000-0000-4000-8000-0000000000dc", "scope": "openid profile"}
        _, device, _ = self.ask("entra", "POST", TOKEN.replace("token", "devicecode"), urlencode(fields))
        return device, {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": fields["client_id"],
                        "device_code": device["device_code"]}

    def redeemed(self, form: dict[str, str]) -> dict[str, str]:
        _, answer, _ = self.ask("entra", "POST", TOKEN, urlencode(form))
        return dict(answer)

    def test_a_code_gives_an_id_token_once_signed_by_a_published_key(self) -> None:
        device, form = self.code()
        self.assertEqual(self.redeemed(form)["error"], "authorization_pending")
        self.control.post("approve", user_code=device["user_code"], who="bob")
        header, claims, signature = self.redeemed(form)["id_token"].split(".")
        self.assertEqual(self.redeemed(form)["error"], "invalid_grant")
        self.assertEqual(json.loads(from_base64url(claims))["preferred_username"], "bob@contoso.com")
        kid = json.loads(from_base64url(header))["kid"]
        published = self.ask("entra", "GET", f"/{contoso.TENANT}/discovery/v2.0/keys")[1]["keys"]
        self.assertIn(kid, [key["kid"] for key in published])
        folder = self.azure.state / "id-token"
        folder.mkdir()
        (folder / "s").write_bytes(from_base64url(signature))
        openssl("pkey", "-in", self.azure.keys.current.with_name(self.azure.keys.current.name + ".pem"), "-pubout", "-out",
                folder / "p")
        openssl("dgst", "-sha256", "-verify", folder / "p", "-signature", folder / "s",
                input=f"{header}.{claims}".encode())

    def test_a_code_can_be_declined_slowed_down_and_too_late(self) -> None:
        device, form = self.code()
        self.control.post("fault", name="slow-down", endpoint="signin", times=1)
        self.assertEqual(self.redeemed(form)["error"], "slow_down")
        self.control.post("decline", user_code=device["user_code"])
        self.assertEqual(self.redeemed(form)["error"], "authorization_declined")
        self.control.set_fault("code-lifetime", "signin", value=0.001)
        self.assertEqual(self.redeemed(self.code()[1])["error"], "expired_token")

    def test_a_service_principal_sees_the_subscriptions_it_holds_a_role_in(self) -> None:
        svc = self.azure.directory.principals["svc"]
        _, answer = self.token(grant_type="client_credentials", client_id=svc.client_id, client_secret="svc-secret",
                               scope="https://management.core.windows.net//.default")
        self.assertEqual(answer["token_type"], "Bearer")

        def listed() -> list[str]:
            status, page, _ = self.ask("arm", "GET", "/subscriptions?api-version=2022-12-01",
                                       Authorization=f"Bearer {answer['access_token']}")
            self.assertEqual(status, 200, page)
            return [s["subscriptionId"] for s in page["value"]]

        self.assertEqual(listed(), [contoso.SUBSCRIPTION_ID])
        self.control.withdraw("svc")
        self.assertEqual(listed(), [])
        self.assertEqual(self.ask("arm", "GET", "/subscriptions", Authorization="Bearer x")[0], 401)

    def test_bad_grants_are_refused(self) -> None:
        good = {"grant_type": "refresh_token", "refresh_token": "refresh.alice"}
        self.assertEqual(self.token(**good | {"refresh_token": "x"})[1]["error"], "invalid_grant")
        self.assertEqual(self.token(**good | {"scope": "openid"})[1]["error"], "invalid_scope")
        self.assertEqual(self.token(**good | {"req_cnf": "{}"})[1]["error"], "invalid_request")
        self.assertEqual(self.token(grant_type="password")[1]["error"], "unsupported_grant_type")

    def test_the_clock_of_azure_can_be_ahead(self) -> None:
        self.control.set_fault("clock-skew", value=7200)
        text = self.certificate(grant_type="refresh_token", refresh_token="refresh.alice")
        start = time.strptime(text.split("Valid: from ")[1].split(" to ")[0], "%Y-%m-%dT%H:%M:%S")
        self.assertAlmostEqual(calendar.timegm(start), time.time() + 7200 - 300, delta=5)

    def test_every_field_can_be_made_wrong(self) -> None:
        good = Template.entra(self.azure.directory.principals["bob"], contoso.TENANT)
        line = public_line(self.key)
        text = shown(sign(self.azure.keys.stranger, line, replace(
            good, tenant_id=contoso.OTHER_TENANT, omitted=frozenset({"oid"}), principals=("a", "b"), key_id="odd",
            critical_options={"force-command": "true"}, extensions={"extra@example.org": "x"}, permits=("pty",))))
        for line in ('Key ID: "odd"', "force-command true", "extra@example.org", "permit-pty"):
            self.assertIn(line, text)
        for absent in ("oid@sshservice", "permit-user-rc"):
            self.assertNotIn(absent, text)
