# SPDX-License-Identifier: Apache-2.0
import http.client
import json
import ssl
import time

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
