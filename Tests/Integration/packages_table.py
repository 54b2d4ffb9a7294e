# SPDX-License-Identifier: Apache-2.0
"""The table of the demonstration, row by row, with the installed package on booted machines."""

from __future__ import annotations

import sys
from pathlib import Path

from bed import Person
from bed.booted import BootedMachine
from bed.checks import require
from bed.installed import TOOL
from booted_ground import DAEMON, SOCKETS, BootedSite
from case import case
from packages_ground import PackagesGround

sys.path.append(str(Path(__file__).resolve().parents[1] / "Demo"))

# The order of these imports is the order of the table.
# isort: off
import rows_people  # noqa: F401
import rows_local  # noqa: F401
import rows_wiring  # noqa: F401
# isort: on
from scene import OWN_FILES, PLAIN_PORT, PORT, SECOND_PORT, SHARED_HOME, Scene
from table import TABLE, play


class BootedService:
    """The daemon as systemd runs it, with its sockets: `stop` leaves nothing that would start it again."""

    def __init__(self, site: BootedSite) -> None:
        self._site = site

    def stop(self) -> None:
        self._site.machine.systemctl("stop", *SOCKETS, DAEMON)

    def start(self) -> None:
        self._site.machine.systemctl("start", *SOCKETS, DAEMON)
        self._site.wait_until_ready()

    def freeze(self) -> None:
        self._site.freeze()

    def thaw(self) -> None:
        self._site.thaw()

    @property
    def milliseconds_to_ready(self) -> float:
        machine = self._site.machine
        return machine.milliseconds(DAEMON) - machine.milliseconds(DAEMON, "InactiveExitTimestampMonotonic")


class InstalledPackage:
    """The interface by which the rows use a machine with entralogin."""

    def __init__(self, site: BootedSite) -> None:
        self._site = site
        self.machine = site.machine
        self.service = BootedService(site)

    def wait_until_ready(self) -> None:
        self._site.wait_until_ready()

    def stamp(self) -> bool:
        return self.machine.run(TOOL, "stack", "--stamp").ok


class PackagedScene(Scene):
    """The demonstration's scene on booted machines, each of which got entralogin by `apt install`."""

    def __init__(self, ground: PackagesGround, machines: list[BootedMachine]) -> None:
        """Adds the machines that it boots to `machines`, for the caller to stop."""
        self.bed, self.azure, self.lisa, self.root = ground.bed, ground.azure, ground.lisa, ground.root
        self.ground = ground
        self.machines = machines
        self.before: dict[str, str] = {}
        self.plain = self._boot("plain", PLAIN_PORT).machine
        self.vm = self.install("table", PORT, SECOND_PORT)  # type: ignore[assignment]

    def person(self, key: str) -> Person:
        return self.ground.person(key)

    def install(self, name: str, *ports: int, sshd: str = "") -> InstalledPackage:  # type: ignore[override]
        """Installs the package. An sshd whose owner has set who may sign in is left alone until setup is run."""
        site = self._boot(name, *ports, sshd=sshd)
        if not self.before:
            self.before = {path: site.machine.read(path) for path in OWN_FILES}
        self.ground.install(site)
        if sshd:
            site.machine.must(TOOL, "setup", "--apply")
        site.wait_until_ready()
        return InstalledPackage(site)

    def _boot(self, name: str, *ports: int, sshd: str = "") -> BootedSite:
        site = self.ground.begin(f"table-{name}", ports[0])
        machine = site.machine
        self.machines.append(machine)
        machine.wait_until_up()
        machine.must("useradd", "--create-home", "--home-dir", SHARED_HOME, "storage")
        more = "".join(f"Port {port}\n" for port in ports[1:]) + sshd
        if more:
            machine.write_file("/etc/ssh/sshd_config.d/60-more.conf", more)
            machine.reload_sshd(ports[0])
        return site

@case("P8", "the table of the demonstration, every row of it, against the installed package on booted machines")
def table(ground: PackagesGround) -> str:
    machines: list[BootedMachine] = []
    try:
        failed = play(PackagedScene(ground, machines))
    finally:
        for machine in machines:
            machine.cut()
    require(failed == 0, f"{failed} rows failed: see above")
    return f"{len(TABLE)} rows"
