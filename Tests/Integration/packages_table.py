# SPDX-License-Identifier: Apache-2.0
"""The table of the demonstration, row by row, with the installed package on booted machines."""

from __future__ import annotations

import sys
from pathlib import Path

from booted_environment import DAEMON, SOCKETS, BootedHost
from case import case
from packages_environment import PackagesEnvironment
from testbed import Person
from testbed.booted import BootedMachine
from testbed.checks import require
from testbed.installed import TOOL

sys.path.append(str(Path(__file__).resolve().parents[1] / "Demo"))

# The order of these imports is the order of the table.
# isort: off
import rows_people  # noqa: F401
import rows_local  # noqa: F401
import rows_integration  # noqa: F401
# isort: on
from fixture import OWN_FILES, PLAIN_PORT, PORT, SECOND_PORT, SHARED_HOME, Fixture
from table import TABLE, run_table


class BootedService:
    """The daemon as systemd runs it, with its sockets: `stop` leaves nothing that would start it again."""

    def __init__(self, host: BootedHost) -> None:
        self._host = host

    def stop(self) -> None:
        self._host.machine.systemctl("stop", *SOCKETS, DAEMON)

    def start(self) -> None:
        self._host.machine.systemctl("start", *SOCKETS, DAEMON)
        self._host.wait_until_ready()

    def freeze(self) -> None:
        self._host.freeze()

    def thaw(self) -> None:
        self._host.thaw()

    @property
    def milliseconds_to_ready(self) -> float:
        machine = self._host.machine
        return machine.milliseconds(DAEMON) - machine.milliseconds(DAEMON, "InactiveExitTimestampMonotonic")


class InstalledPackage:
    """The interface by which the rows use a machine with entralogin."""

    def __init__(self, host: BootedHost) -> None:
        self._host = host
        self.machine = host.machine
        self.service = BootedService(host)

    def wait_until_ready(self) -> None:
        self._host.wait_until_ready()

    def stamp(self) -> bool:
        return self.machine.run(TOOL, "stack", "--stamp").ok


class PackagedFixture(Fixture):
    """The demonstration's fixture on booted machines, each of which got entralogin by `apt install`."""

    def __init__(self, env: PackagesEnvironment, machines: list[BootedMachine]) -> None:
        """Adds the machines that it boots to `machines`, for the caller to stop."""
        self.testbed, self.azure, self.lisa, self.root = env.testbed, env.azure, env.lisa, env.root
        self.env = env
        self.machines = machines
        self.before: dict[str, str] = {}
        self.plain = self._boot("plain", PLAIN_PORT).machine
        self.vm = self.install("table", PORT, SECOND_PORT)  # type: ignore[assignment]

    def person(self, key: str) -> Person:
        return self.env.person(key)

    def install(self, name: str, *ports: int, sshd: str = "") -> InstalledPackage:  # type: ignore[override]
        """Installs the package. It leaves an sshd with an administrator's settings (`sshd`) alone until `setup --apply`."""
        host = self._boot(name, *ports, sshd=sshd)
        if not self.before:
            self.before = {path: host.machine.read(path) for path in OWN_FILES}
        self.env.install(host)
        if sshd:
            host.machine.must(TOOL, "setup", "--apply")
        host.wait_until_ready()
        return InstalledPackage(host)

    def _boot(self, name: str, *ports: int, sshd: str = "") -> BootedHost:
        host = self.env.begin(f"table-{name}", ports[0])
        machine = host.machine
        self.machines.append(machine)
        machine.wait_until_up()
        machine.must("useradd", "--create-home", "--home-dir", SHARED_HOME, "storage")
        more = "".join(f"Port {port}\n" for port in ports[1:]) + sshd
        if more:
            machine.write_file("/etc/ssh/sshd_config.d/60-more.conf", more)
            machine.reload_sshd(ports[0])
        return host


@case("P8", "the table of the demonstration, every row of it, against the installed package on booted machines")
def table(env: PackagesEnvironment) -> str:
    machines: list[BootedMachine] = []
    try:
        failed = run_table(PackagedFixture(env, machines))
    finally:
        for machine in machines:
            machine.cut()
    require(failed == 0, f"{failed} rows failed: see above")
    return f"{len(TABLE)} rows"
