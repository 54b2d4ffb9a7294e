# SPDX-License-Identifier: Apache-2.0
"""The fixture of the package's cases: booted machines without the product, the package, and sessions that stay open."""

from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from booted_environment import BootedEnvironment, BootedHost
from guest_agent import Handlers
from simulator import contoso
from testbed import Machine, Outcome, Person, Testbed
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for
from testbed.packages import NAME, Packages, apt, state


class OpenSession:
    """A person's shell over ssh that answers for as long as the case lasts."""

    def __init__(self, person: Person, port: int) -> None:
        script = "echo begun; while read -r line; do eval \"$line\"; done"
        self._process = subprocess.Popen(person.argv("-p", str(port), f"{person.login}@127.0.0.1", script), text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        require(self._process.stdout.readline() == "begun\n", f"{person.login}'s session did not begin")

    def ask(self, command: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        require(bool(select.select([self._process.stdout], [], [], 120)[0]), f"no answer to {command!r} in the open session")
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


class PackagesEnvironment(BootedEnvironment):
    def __init__(self, testbed: Testbed) -> None:
        super().__init__(testbed)
        self.packages = Packages(testbed.scratch / "packages")
        self.handlers = Handlers(testbed.scratch / "handlers", self.packages)

    def _enabled(self, bare: Machine) -> Machine:
        """Does nothing: each case installs the package."""
        return bare

    @contextmanager
    def stock(self, name: str) -> Iterator[BootedHost]:
        """A booted machine without the product, with sshd answering."""
        with self.boot(name, product=False) as host:
            host.machine.wait_until_up()
            admitted(host.ssh(self.lisa, "id -un"), "lisa\n")
            yield host

    def begin(self, name: str, port: int) -> BootedHost:
        """A stock machine that is still booting; the caller must stop it."""
        return self._booted(name, port, (self.bare,))

    @contextmanager
    def boot_on(self, name: str, *machines: Machine) -> Iterator[BootedHost]:
        """Boots a machine with the files of these stopped machines, which were made from the bare one; the newest first."""
        self._next_port += 1
        host = self._booted(name, self._next_port, (*machines, self.bare))
        try:
            yield host
        finally:
            host.machine.cut()

    def install(self, host: BootedHost, deb: Any = None) -> Outcome:
        """Runs `apt install`, which must succeed; sign-in may be on or off then."""
        there = self.packages.put(host.machine, deb or self.packages.current)
        outcome = apt(host.machine, "install", "--reinstall", "--allow-downgrades", there)
        require(outcome.ok and state(host.machine) == "install ok installed", f"apt install: {outcome.text}")
        return outcome

    def purge(self, host: BootedHost) -> None:
        outcome = apt(host.machine, "purge", NAME)
        require(outcome.ok and "installed" not in state(host.machine), f"apt purge: {outcome.text}")

    def signs_in(self, host: BootedHost) -> None:
        """Requires that alice can sign in as an administrator, bob as a user, and lisa as before, and that carol is refused."""
        host.wait_until_ready()
        admitted(host.ssh(self.lisa, "id -un"), "lisa\n")
        alice, bob, carol = (self.person(key) for key in ("alice", "bob", "carol"))
        admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
        admitted(host.ssh(bob, "id -un"), f"{bob.login}\n")
        require(not host.ssh(bob, "sudo -n id -u").ok, "bob has sudo")
        refused(host.ssh(carol, "id"), contoso.USER)

    def stays_out(self, host: BootedHost) -> None:
        alice = self.person("alice")
        wait_for(lambda: "Permission denied" in host.ssh(alice, "true").text, "alice's refusal")
        admitted(host.ssh(self.lisa, "id -un"), "lisa\n")
        equal(host.machine.run("getent", "passwd", alice.login).out, "", "alice's record")

