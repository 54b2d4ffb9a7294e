# SPDX-License-Identifier: Apache-2.0
"""Tests the testbed without the product: `enter python3 -m testbed.trial`. Ends with status 0 when every line says ok."""

from __future__ import annotations

import sys

from simulator import contoso
from simulator.sshkeys import public_line

from .testbed import Testbed


def main() -> int:
    failures = 0

    def show(what: str, good: bool, seen: str) -> None:
        nonlocal failures
        failures += not good
        print(f"{'ok' if good else 'FAILED':7} {what}: {seen.strip()[:200]}", flush=True)

    with Testbed() as testbed:
        machine = testbed.machine("vm")
        bob = testbed.local("bob")
        machine.add_local_user("bob", "correct horse", public_line(bob.identity))
        machine.start_sshd(22, 2222)
        outcome = bob.ssh("id -un; hostname")
        show("a local user signs in with a key", outcome.out == "bob\ncontoso-vm\n", outcome.text)
        outcome = bob.with_password("id -un")
        show("and with a password", outcome.out == "bob\n", outcome.text)
        outcome = bob.ssh("tty", port=2222, tty=True)
        show("on another port with a terminal", outcome.out.startswith("/dev/pts/"), outcome.text)

        # sshd trusts the simulator's key without the product, so it accepts the certificates that Entra signs.
        entra = public_line(testbed.keys / "entra" / "entra-1")
        machine.write("/etc/ssh/ca.pub", entra + "\n")
        machine.write("/etc/ssh/sshd_config.d/10-trial.conf", "TrustedUserCAKeys /etc/ssh/ca.pub\n")
        machine.reload_sshd()
        alice = testbed.person("alice")
        machine.must("useradd", "--badname", "--create-home", "--shell", "/bin/bash", alice.login)
        outcome = alice.ssh("id -un")
        show("Entra's certificate is a good certificate", outcome.out == "alice@contoso.com\n", outcome.text)
        outcome = testbed.forged("alice", shift=-7200).ssh("id -un")
        show("an expired one is not", outcome.status == 255, outcome.text)
        outcome = testbed.forged("alice", stranger=True).ssh("id -un")
        show("nor one of another CA", outcome.status == 255, outcome.text)

        fetch = ("exec 3<>/dev/tcp/169.254.169.254/80; printf 'GET /metadata/instance/compute?api-version=2019-06-01 "
                 "HTTP/1.0\\r\\nMetadata: true\\r\\n\\r\\n' >&3; cat <&3")
        outcome = machine.shell(fetch)
        show("IMDS answers inside", contoso.MACHINE in outcome.out, outcome.out)
        outcome = machine.run("openssl", "s_client", "-connect", "pas.windows.net:443", "-verify_return_error",
                              "-brief")
        show("the true names are trusted inside", outcome.ok and "Verification: OK" in outcome.text, outcome.text)
        counted = testbed.azure.count("imds")
        show("the simulator counts", counted == 1, f"{counted} request to imds")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
