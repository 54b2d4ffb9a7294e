# SPDX-License-Identifier: Apache-2.0
"""azure-cli as it is published, against the simulator: signs in, and gets certificates by its own token code."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environment import Environment
from simulator import contoso
from simulator.clouds import PUBLIC, Cloud
from simulator.sshkeys import jwk_numbers, public_line
from testbed import Outcome, Person
from testbed.checks import require
from testbed.machine import run

KEY_ID = "real-client"
# The calls to azure-cli's core that `az ssh cert` of the extension "ssh" makes once it has a public key.
CERTIFICATE = """
import json, sys
from azure.cli.core import get_default_cli
from azure.cli.core._profile import Profile
_, certificate = Profile(cli_ctx=get_default_cli()).get_msal_token([sys.argv[1]], json.loads(sys.argv[2]))
print(certificate)
"""


@dataclass(frozen=True)
class AzureCLI:
    """A user's azure-cli. Its state is in `folder`; it reads no configuration of the machine. `cloud` issues the
    certificates that are requested; azure-cli itself uses the cloud that `az cloud set` selected."""

    env: Environment
    folder: Path
    cloud: Cloud = PUBLIC

    def az(self, *arguments: str) -> Outcome:
        return self._run("az", *arguments)

    def login(self, key: str, *more: str, secret: str = "") -> Outcome:
        """`az login` of a service principal, with its own secret unless another is given."""
        who = self.env.testbed.directory.principals[key]
        return self.az("login", "--service-principal", "-u", who.client_id, "-p", secret or who.client_secret,
                       "--tenant", contoso.TENANT, *more)

    def certificate(self, person: Person) -> str:
        """The body of a certificate for the person's key, requested as `az ssh` does."""
        asked = {"token_type": "ssh-cert", "key_id": KEY_ID,
                 "req_cnf": json.dumps({**jwk_numbers(public_line(person.identity)), "kid": KEY_ID})}
        outcome = self._run("python3", "-c", CERTIFICATE, f"{self.cloud.sign_in_scope}/.default", json.dumps(asked))
        require(outcome.ok, f"azure-cli got no certificate: {outcome.text}")
        return outcome.out.strip()

    def signing_in(self, person: Person) -> Person:
        """The person with only a certificate from azure-cli."""
        return person.holding(f"ssh-rsa-cert-v01@openssh.com {self.certificate(person)}", "azure-cli")

    def _run(self, program: str, *arguments: str) -> Outcome:
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8", "AZURE_CONFIG_DIR": str(self.folder),
            "AZURE_CORE_COLLECT_TELEMETRY": "false", "REQUESTS_CA_BUNDLE": str(self.env.testbed.authority),
        }
        return run([f"{os.environ['TESTBED_AZURE_CLI']}/bin/{program}", *arguments], None, 300, environment)


def asked(requests: list[dict[str, Any]]) -> list[str]:
    """azure-cli's requests, without the daemon's and the test's own: method, host, path and status."""
    return [f"{r['method']} {r['host']}{r['path']} {r['status']}" for r in requests
            if "python-requests" in (r["user_agent"] or "") or "AZURECLI" in (r["user_agent"] or "")]
