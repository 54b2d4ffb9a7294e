# SPDX-License-Identifier: Apache-2.0
import base64
import subprocess
from urllib.parse import urlencode

from simulator import contoso
from simulator.clouds import LINUX_SIGN_IN_APPLICATION
from simulator.sshkeys import jwk_numbers, public_line

from .support import SimulatorTestCase

COMPUTE = "/metadata/instance/compute?api-version=2019-06-01"
TOKEN = "/metadata/identity/oauth2/token?" + urlencode(
    {"api-version": "2018-02-01", "resource": LINUX_SIGN_IN_APPLICATION})


class Metadata(SimulatorTestCase):
    def test_the_header_is_required_and_forwarding_refused(self) -> None:
        self.assertEqual(self.ask("imds", "GET", COMPUTE)[0], 400)
        self.assertEqual(self.ask("imds", "GET", COMPUTE, Metadata="true", X_Forwarded_For="1.2.3.4")[0], 400)
        self.assertEqual(self.ask("imds", "GET", COMPUTE.partition("?")[0], Metadata="true")[0], 400)

    def test_compute_names_the_machine(self) -> None:
        status, compute, _ = self.ask("imds", "GET", COMPUTE, Metadata="true")
        self.assertEqual((status, compute["resourceId"], compute["azEnvironment"]),
                         (200, contoso.MACHINE, "AzurePublicCloud"))

    def test_the_tenant_and_the_keys(self) -> None:
        _, info, _ = self.ask("imds", "GET", "/metadata/identity/info?api-version=2018-02-01", Metadata="true")
        self.assertEqual(info, {"tenantId": contoso.TENANT})
        _, keys, _ = self.ask("imds", "GET", "/metadata/login/ca_keys?api-version=2019-03-11", Metadata="true")
        self.assertTrue(keys[0].startswith("ssh-rsa "))

    def test_token_numbers_are_strings(self) -> None:
        _, token, _ = self.ask("imds", "GET", TOKEN, Metadata="true")
        self.assertEqual({type(token[n]) for n in ("expires_in", "expires_on", "not_before")}, {str})
        self.assertEqual(token["token_type"], "Bearer")
        self.assertEqual(self.control.issued_tokens()[-1], token["access_token"])

    def test_identity_faults(self) -> None:
        with self.control.fault("no-identity", "token"):
            status, error, _ = self.ask("imds", "GET", TOKEN, Metadata="true")
            self.assertEqual((status, error["error_description"]), (400, "Identity not found"))
        with self.control.fault("missing-application", "token"):
            status, error, _ = self.ask("imds", "GET", TOKEN, Metadata="true")
            self.assertEqual((status, error["error"]), (400, "invalid_resource"))
            self.assertTrue(self.arm_token())  # other audiences are not affected
        self.assertEqual(self.ask("imds", "GET", TOKEN, Metadata="true")[0], 200)

    def test_arc_challenges_with_a_file(self) -> None:
        status, _, headers = self.ask("himds", "GET", TOKEN, Metadata="true")
        realm = headers["Www-Authenticate"].removeprefix("Basic realm=")
        self.assertEqual(status, 401)
        self.assertRegex(realm, r"^/var/opt/azcmagent/tokens/[0-9a-f-]{36}\.key$")
        secret = (self.azure.state / "arc-tokens" / realm.rsplit("/", 1)[1]).read_text()
        answered = self.ask("himds", "GET", TOKEN, Metadata="true", Authorization=f"Basic {secret}")
        self.assertEqual(answered[0], 200)
        repeated = self.ask("himds", "GET", TOKEN, Metadata="true", Authorization=f"Basic {secret}")
        self.assertEqual(repeated[0], 401)

    def test_arc_notes_what_was_wrong_with_the_challenge_of_each_token(self) -> None:
        for wrong in ("", "writable", "suffix"):
            self.control.set_fault("bad-key", "himds", wrong)
            realm = self.ask("himds", "GET", TOKEN, Metadata="true")[2]["Www-Authenticate"].removeprefix("Basic realm=")
            secret = (self.azure.state / "arc-tokens" / realm.rsplit("/", 1)[1]).read_text()
            self.control.clear_faults()
            self.assertEqual(self.ask("himds", "GET", TOKEN, Metadata="true", Authorization=f"Basic {secret}")[0], 200)
        remarks = [r["remark"] for r in self.control.requests("himds") if r["status"] == 200]
        self.assertEqual(remarks, ["sound", "writable", "suffix"])


class Keys(SimulatorTestCase):
    def key_set(self) -> list[dict[str, object]]:
        _, found, headers = self.ask("entra", "GET", "/common/discovery/keys")
        self.assertIn("max-age=", headers["Cache-Control"])
        return [k for k in found["keys"] if k["kty"] == "RSA" and k["cloud_instance_name"] == "microsoftonline.com"
                and "{tenantid}" in k["issuer"]]

    def test_the_public_set_carries_keys_that_are_not_for_us(self) -> None:
        _, found, _ = self.ask("entra", "GET", "/common/discovery/keys")
        keys = [k for k in found["keys"] if k["kty"] == "RSA"]
        self.assertEqual(len({k["n"] for k in keys}), 3)
        self.assertIn("microsoftonline.us", {k["cloud_instance_name"] for k in keys})

    def test_the_configuration_names_hosts(self) -> None:
        path = f"/{contoso.TENANT}/v2.0/.well-known/openid-configuration"
        _, found, _ = self.ask("entra", "GET", path)
        self.assertEqual(found["rbac_url"], "https://pas.windows.net")
        self.assertEqual(found["cloud_instance_name"], "microsoftonline.com")

    def test_x5c_holds_the_key_that_signs(self) -> None:
        (key,) = self.key_set()
        self.assertEqual(key["n"], jwk_numbers(public_line(self.azure.keys.current))["n"])
        der = base64.b64decode(key["x5c"][0])  # type: ignore[index]
        shown = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-modulus"], input=der,
                               capture_output=True, check=True).stdout.decode()
        modulus = base64.urlsafe_b64decode(str(key["n"]) + "==")
        self.assertEqual(shown.strip(), "Modulus=" + modulus.hex().upper())

    def test_rotation_overlaps_until_the_old_key_is_retired(self) -> None:
        (old,) = self.key_set()
        self.control.rotate_keys()
        new = self.key_set()
        self.assertEqual([k["kid"] for k in new][1:], [old["kid"]])
        self.control.retire_old_keys()
        self.assertEqual(self.key_set(), new[:1])
        self.control.restore_keys()
        self.assertEqual(self.key_set(), [old])
