# SPDX-License-Identifier: Apache-2.0
"""The fixture of the rows: a machine with entralogin, one without it, and new ones for first sign-ins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.sshkeys import public_line
from table import Mismatch
from testbed import Installed, Machine, Person, Service, Testbed
from testbed.installed import TOOL, put_in_place

PORT, SECOND_PORT, PLAIN_PORT = 22, 2222, 2200
PASSWORD = "correct horse"
SHARED_HOME = "/home/frank@contoso.com"  # a local account's home is where frank's would be

# The machine's own files, which installing and enabling must not change.
OWN_FILES = ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/50-administrator.conf", "/etc/sudoers", "/etc/pam.d/sshd",
             "/etc/pam.d/sudo", "/etc/login.defs", "/etc/hosts", "/etc/ssl/openssl.cnf")


class Fixture:
    def __init__(self, testbed: Testbed) -> None:
        self.testbed = testbed
        self.azure = testbed.azure
        self.lisa = testbed.local("lisa", PASSWORD)
        self.root = testbed.local("root", PASSWORD)
        self.people = {key: testbed.person(key) for key in
                       ("alice", "bob", "carol", "olga", "frank", "heidi", "gina", "svc", "mi")}
        self.plain = self._machine("plain")
        self.plain.start_sshd(PLAIN_PORT)
        self.before: dict[str, str] = {}
        self.vm = self.install("vm", PORT, SECOND_PORT)

    def install(self, name: str, *ports: int, sshd: str = "") -> Installed:
        """Makes a machine and installs entralogin on it as README says. `sshd` is one more setting for its sshd."""
        machine = self._machine(name, sshd)
        if not self.before:
            self.before = {path: machine.read(path) for path in OWN_FILES}
        put_in_place(machine)
        service = Service(machine)
        service.start()
        installed = Installed(machine, service)
        if not installed.stamp():
            raise RuntimeError(f"the stack check refuses {name}: {machine.run(TOOL, 'stack').text}")
        installed.wait_until_ready()
        machine.start_sshd(*ports)
        return installed

    def person(self, key: str) -> Person:
        return self.people[key]

    @contextmanager
    def asked(self) -> Iterator[dict[str, int]]:
        """Counts the requests to PAS and to ARM inside the block."""
        names = ("pas", "arm")
        before = {name: self.azure.count(name) for name in names}
        counted: dict[str, int] = {}
        yield counted
        counted |= {name: self.azure.count(name) - before[name] for name in names}

    @contextmanager
    def missing(self, file_name: str) -> Iterator[None]:
        """Removes a module's file inside the block. The integration check must find that, and succeed again afterwards."""
        libraries = self.vm.machine.root / "usr/lib"
        found = list(libraries.rglob(file_name))
        if len(found) != 1:
            raise Mismatch(f"{file_name} is installed {len(found)} times")
        away = found[0].with_name(file_name + ".away")
        found[0].rename(away)
        try:
            if self.vm.stamp():
                raise Mismatch(f"the stack check does not miss {file_name}")
            yield
        finally:
            away.rename(found[0])
            if not self.vm.stamp():
                raise Mismatch(f"the stack check does not recover with {file_name} back")

    def keep_logs(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, machine in self.testbed.machines.items():
            for log in (*machine.folder.glob("*.log"), machine.root / "var/log/sshd.log"):
                if log.exists():
                    (folder / f"{name}-{log.name}").write_bytes(log.read_bytes())
        requests = self.testbed.azure_folder / "requests.jsonl"
        (folder / "azure-requests.jsonl").write_bytes(requests.read_bytes())

    def _stock(self, name: str) -> Machine:
        return self.testbed.machine(name)

    def _machine(self, name: str, sshd: str = "") -> Machine:
        machine = self._stock(name)
        machine.add_local_user("lisa", PASSWORD, public_line(self.lisa.identity))
        machine.must("usermod", "-aG", "sudo", "lisa")
        machine.set_credentials("root", PASSWORD, public_line(self.root.identity))
        machine.must("useradd", "--create-home", "--home-dir", SHARED_HOME, "storage")
        # OpenSSH 9.8 and newer block an address after many failures; here all clients have the same address.
        known = machine.run("sh", "-c", "mkdir -p /run/sshd && /usr/sbin/sshd -T").out
        penalties = "PerSourcePenalties no\n" if "persourcepenalties" in known.lower() else ""
        machine.write("/etc/ssh/sshd_config.d/50-administrator.conf", f"PermitRootLogin yes\n{penalties}{sshd}")
        return machine
