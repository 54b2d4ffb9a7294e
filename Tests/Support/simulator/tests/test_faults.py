# SPDX-License-Identifier: Apache-2.0
import http.client
import json
import ssl
import time
from contextlib import ExitStack

from simulator import contoso
from simulator.metadatalimits import MetadataLimits

from .support import SimulatorTestCase

KEYS = "/common/discovery/keys"


class FaultsByName(SimulatorTestCase):
    def test_latency(self) -> None:
        self.control.set_fault("latency", "keys", 150)
        began = time.monotonic()
        self.ask("entra", "GET", KEYS)
        self.assertGreaterEqual(time.monotonic() - began, 0.15)

    def test_statuses(self) -> None:
        with self.control.fault("throttle", "pas", 7):
            status, _, headers = self.check("bob")
            self.assertEqual((status, headers["Retry-After"]), (429, "7"))
        for name, value, expected in (("server-error", None, 500), ("server-error", 503, 503), ("status", 405, 405),
                                      ("refused-identity", 401, 401), ("redirect", None, 302)):
            with self.control.fault(name, "pas", value):
                self.assertEqual(self.check("bob")[0], expected)
        self.assertEqual(self.check("bob")[0], 200)

    def test_a_fault_can_last_for_a_number_of_requests_and_for_all_endpoints(self) -> None:
        self.control.set_fault("server-error", times=2)
        self.assertEqual([self.ask("entra", "GET", KEYS)[0] for _ in range(3)], [500, 500, 200])

    def test_the_control_stays_there_whatever_strikes_every_endpoint(self) -> None:
        for name in ("silent", "refuse", "status", "cut-body"):
            self.control.set_fault(name)
            self.control.clear_faults()
            self.assertEqual(self.check("bob")[0], 200)

    def test_bodies(self) -> None:
        with self.control.fault("cut-body", "keys"), self.assertRaises(http.client.IncompleteRead):
            self.ask("entra", "GET", KEYS)
        with self.control.fault("wrong-json", "keys", "{"), self.assertRaises(json.JSONDecodeError):
            self.ask("entra", "GET", KEYS)
        with self.control.fault("wrong-json", "keys"):
            self.assertEqual(self.ask("entra", "GET", KEYS)[1], {"unexpected": [1]})

    def test_connections(self) -> None:
        with self.control.fault("refuse", "keys"), self.assertRaises((ConnectionError, ssl.SSLError)):
            self.ask("entra", "GET", KEYS)
        with self.control.fault("silent", "keys"), self.assertRaises(TimeoutError):
            self.ask("entra", "GET", KEYS, timeout=0.2)
        with self.control.fault("wrong-tls", "keys"), self.assertRaises(ssl.SSLCertVerificationError):
            self.ask("entra", "GET", KEYS)
        self.assertEqual(self.ask("entra", "GET", KEYS)[0], 200)

    def test_checkaccess_answers_that_lack_or_repeat_an_action(self) -> None:
        with self.control.fault("one-action", "pas"):
            self.assertEqual(len(self.check("alice")[1]), 1)
        with self.control.fault("twice-action", "pas"):
            self.assertEqual(len(self.check("alice")[1]), 3)

    def test_an_unknown_name_is_an_error(self) -> None:
        for arguments in (("no-such-fault", "pas"), ("latency", "nowhere")):
            with self.assertRaises(ValueError):
                self.control.set_fault(*arguments)

    def test_thin_key_sets(self) -> None:
        def moduli(path: str = KEYS) -> set[str]:
            keys = self.ask("entra", "GET", path)[1]["keys"]
            return {k["n"] for k in keys if k["kty"] == "RSA"}

        tenant = f"/{contoso.TENANT}/discovery/v2.0/keys"
        whole = moduli()
        self.azure.keys.rotate()
        fresh = moduli() - whole
        self.assertEqual(len(fresh), 1)
        self.control.set_fault("thin-keys", "keys", times=2)
        self.assertEqual([fresh <= moduli() for _ in range(3)], [False, False, True])
        with self.control.fault("thin-keys", "keys", "tenant"):
            self.assertEqual((fresh <= moduli(), fresh <= moduli(tenant)), (True, False))
        self.azure.keys.restore()
        with self.control.fault("thin-keys", "keys"):
            self.assertFalse(whole <= moduli())

    def test_the_metadata_services_limits(self) -> None:
        now = 0.0
        limits = MetadataLimits(lambda: now)

        def asked(times: int, is_identity: bool) -> int:
            served = 0
            for _ in range(times):
                with limits.entered(is_identity) as within:
                    served += within
            return served

        self.assertEqual((asked(9, False), asked(30, True)), (5, 20))
        now = 1.0
        with ExitStack() as stack:
            together = [stack.enter_context(limits.entered(True)) for _ in range(7)]
            self.assertEqual(together, [True] * 5 + [False] * 2)
            self.assertEqual(asked(1, False), 1)
        path = "/metadata/instance/compute?api-version=2019-06-01"
        with self.control.fault("metadata-limits", "imds"):
            self.assertEqual(self.ask("imds", "GET", path, Metadata="true")[0], 200)
